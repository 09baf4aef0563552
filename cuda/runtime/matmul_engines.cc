// The list of engines, those made of our own kernels, and cuDNN's fused plans as one.
#include <cstdlib>
#include <string_view>

#include "../engines/matmul_mma.h"
#include "../engines/matmul_wgmma.h"
#include "../ops/matmul_passes.h"
#include "cudnn_matmul.h"
#include "matmul_engine.h"

namespace selfnorm {
namespace {

using SN_BUILD::MmaTileSize;

template <MmaTileSize Tile>
constexpr MatmulEngine mma_engine(const char* name) {
  return {"mma", name,
          [](Queue&, const MatmulProblem& problem, const MatmulOperands&) {
            return SN_BUILD::mma_matmul_takes(problem, Tile);
          },
          [](Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
            SN_BUILD::mma_matmul(queue, problem, operands, Tile);
            return MatmulStage::kDropped;
          }};
}

#ifdef SELFNORM_HAS_WGMMA
using SN_BUILD::WgmmaTileSize;

template <WgmmaTileSize Tile>
constexpr MatmulEngine wgmma_engine(const char* name) {
  return {"wgmma", name,
          [](Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
            return SN_BUILD::wgmma_matmul_takes(queue, problem, operands);
          },
          [](Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
            SN_BUILD::wgmma_matmul(queue, problem, operands, Tile);
            return MatmulStage::kDropped;
          }};
}

const MatmulEngine kWgmmaBroadMatmul = wgmma_engine<WgmmaTileSize::k256>("wgmma, tiles of 128 x 256");
const MatmulEngine kWgmmaSquareMatmul = wgmma_engine<WgmmaTileSize::k128>("wgmma, tiles of 128 x 128");
#endif

// The problem up to its activation: what is left is dropout.
MatmulProblem up_to_activation(const MatmulProblem& problem) {
  MatmulProblem part = problem;
  part.keeps = Keeps::kNothing;
  part.has_dropout = part.has_sums = 0;
  part.form = MatmulForm::kForward;
  return part;
}

const ActivationFacts& facts_of(const MatmulProblem& problem) {
  return Queue::ops().activations[size_t(problem.activation)];
}

bool keeps_argument(const MatmulProblem& problem, const MatmulOperands& operands) {
  return operands.kept != nullptr && problem.keeps == Keeps::kPreActivation;
}

// cuDNN's plans want addresses of 16 bytes; those of float32 round to TF32.
bool cudnn_may_take(const MatmulProblem& problem, const MatmulOperands& operands) {
  const bool half = problem.dtype == DType::kFloat16 || problem.dtype == DType::kBfloat16;
  constexpr uintptr_t kAligned = 16;
  uintptr_t bits = 0;
  for (const void* address : {operands.a, operands.b, operands.bias, operands.saved,
                              static_cast<const void*>(operands.y), static_cast<const void*>(operands.kept)}) {
    bits |= reinterpret_cast<uintptr_t>(address);
  }
  return bits % kAligned == 0 && problem.activation > 0 && (half || problem.tensor_float32 != 0);
}

[[noreturn]] void no_plan() { throw Error("ERR_CUDA", "cuDNN: no plan for this matrix product at this alignment"); }

// Products without an activation are cuBLASLt's.
bool cudnn_takes(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  return problem.form == MatmulForm::kForward && cudnn_may_take(problem, operands) &&
         cudnn_matmul_fuses(queue, up_to_activation(problem), facts_of(problem), keeps_argument(problem, operands));
}

MatmulStage cudnn_run(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  const bool keeps = keeps_argument(problem, operands);
  void* const y = keeps ? operands.y : operands.product();
  if (!cudnn_matmul(queue, up_to_activation(problem), facts_of(problem), operands.a, operands.b, operands.bias, y,
                    keeps ? operands.kept : nullptr)) {
    no_plan();
  }
  return MatmulStage::kActivated;
}

const MatmulEngine kCudnnMatmul{"cudnn", "cuDNN's fused plan", cudnn_takes, cudnn_run};

bool cudnn_takes_derivative(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  return problem.form == MatmulForm::kDerivative && problem.has_dropout == 0 && cudnn_may_take(problem, operands) &&
         cudnn_matmul_differentiates(queue, up_to_activation(problem), facts_of(problem), false);
}

MatmulStage cudnn_run_derivative(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  if (!cudnn_matmul_derivative(queue, up_to_activation(problem), facts_of(problem), operands.a, operands.b,
                               operands.saved, operands.y, nullptr)) {
    no_plan();
  }
  return MatmulStage::kActivated;
}

const MatmulEngine kCudnnDerivativeMatmul{"cudnn", "cuDNN's plan with the derivative", cudnn_takes_derivative,
                                          cudnn_run_derivative};

// cuDNN adds the sums up by atomics, in an order that differs from run to run: only for those who allow that.
bool allows_atomics() {
  static const bool allowed = [] {
    const char* const given = std::getenv("SELFNORM_DETERMINISTIC");
    const std::string_view value = given == nullptr ? "" : given;
    if (value == "0") return true;
    if (value.empty() || value == "1") return false;
    throw Error("ERR_ARGUMENT", "SELFNORM_DETERMINISTIC: expected 0 or 1, got " + std::string(value));
  }();
  return allowed;
}

bool cudnn_takes_sums(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  return problem.form == MatmulForm::kDerivative && problem.has_sums && problem.has_dropout == 0 && allows_atomics() &&
         cudnn_may_take(problem, operands) &&
         cudnn_matmul_differentiates(queue, up_to_activation(problem), facts_of(problem), true);
}

MatmulStage cudnn_run_sums(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  const size_t bytes = size_t(problem.n) * sizeof(float);
  const Scratch sums(queue, bytes);
  queue.enqueue([&] { check_cuda(cudaMemsetAsync(sums.as<void>(), 0, bytes, queue.stream()), "cudaMemsetAsync"); });
  if (!cudnn_matmul_derivative(queue, up_to_activation(problem), facts_of(problem), operands.a, operands.b,
                               operands.saved, operands.y, sums.as<float>())) {
    no_plan();
  }
  SN_BUILD::add_up_rows(queue, sums.as<const float>(), 1, problem.n, problem.dtype, operands.sums);
  return MatmulStage::kDropped;
}

const MatmulEngine kCudnnSumsMatmul{"cudnn", "cuDNN's plan with the derivative and the bias's gradient",
                                    cudnn_takes_sums, cudnn_run_sums};

}  // namespace

const MatmulEngine kMmaLargeMatmul = mma_engine<MmaTileSize::kLarge>("mma.sync, tiles of 128 x 128");
const MatmulEngine kMmaSmallMatmul = mma_engine<MmaTileSize::kSmall>("mma.sync, tiles of 64 x 64");

std::span<const MatmulEngine* const> matmul_engines() {
  static const MatmulEngine* const engines[] = {
      &kCublasLtActivationMatmul, &kCublasLtSumsMatmul, &kCublasLtMatmul, &kCudnnMatmul,
      &kCudnnDerivativeMatmul,    &kCudnnSumsMatmul,
#ifdef SELFNORM_HAS_WGMMA
      &kWgmmaBroadMatmul,         &kWgmmaSquareMatmul,
#endif
      &kMmaLargeMatmul,           &kMmaSmallMatmul,
  };
  return engines;
}

}  // namespace selfnorm
