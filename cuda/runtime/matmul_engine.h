// What can compute a matrix product on the GPU: the interface of an engine, and all of them. matmul.cc chooses.
#pragma once

#include <span>

#include "../ops/matmul_problem.h"
#include "queue.h"

namespace selfnorm {

struct MatmulEngine {
  const char* family;  // what SELFNORM_MATMUL names: cublaslt, mma, wgmma, cudnn
  const char* name;    // for people

  // Whether it can compute the problem with these addresses: layout, alignment, device. tensor_float32 says whether
  // float32 operands may be rounded to TF32; an engine that would have to must refuse when it is 0.
  bool (*takes)(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands);

  // Computes as much of it as the engine can and says how far it went; passes of ours do the rest. It must go equally
  // far for equal problems. An engine that finds out only here that it cannot throws Error before it writes anything.
  MatmulStage (*run)(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands);
};

// In the order in which they are preferred where nothing was measured.
std::span<const MatmulEngine* const> matmul_engines();

// Whether what is enqueued is being recorded instead of run: then nothing may be measured or waited for.
inline bool capturing(Queue& queue) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(queue.stream(), &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

extern const MatmulEngine kCublasLtMatmul, kCublasLtActivationMatmul, kCublasLtSumsMatmul, kMmaLargeMatmul,
    kMmaSmallMatmul;

}  // namespace selfnorm
