// Matrix products through cuBLASLt. cpu/runtime/matmul.h has the same names over oneDNN.
#pragma once

#include <optional>

#include "../ops/matmul_problem.h"
#include "queue.h"

namespace selfnorm {

// The dtype the library computes the problem in; none where the plain kernel is to run: int32, and float64 with a bias,
// for which cuBLASLt has no epilogue.
std::optional<DType> library_matmul_dtype(const MatmulProblem& problem);

// Whether the library applies this activation itself. None yet: its ReLU and tanh GELU are a pass of ours after it.
bool library_matmul_fuses(const MatmulProblem& problem, const ActivationFacts& facts,
                          std::span<const double> parameters);

// y = a b + bias. `bias` is null unless the problem has one. float32 is computed as such, or rounded to TF32 first
// where the queue's float32 precision allows.
void library_matmul(Queue& queue, const MatmulProblem& problem, const void* a, const void* b, const void* bias,
                    void* y);

}  // namespace selfnorm
