// Matrix products on the GPU by the engine that is fastest for the shape. cpu/runtime/matmul.h has the same names over
// oneDNN.
#pragma once

#include <optional>

#include "../ops/matmul_problem.h"
#include "queue.h"

namespace selfnorm {

// The dtype the library computes the problem in; none where the plain kernel is to run: int32, and float64 with a bias,
// for which cuBLASLt has no epilogue.
std::optional<DType> library_matmul_dtype(const MatmulProblem& problem);

// As much of the problem as its engine does; the answer says how far that is. float32 is computed as such, or rounded
// to TF32 first where the queue's float32 precision allows.
//
// The first product of a shape class measures all engines that take it, on this call's inputs, and the fastest serves
// the class from then on in this process: equal calls give equal bits. SELFNORM_MATMUL names a family of engines to
// keep to where it has one that takes the problem.
MatmulStage library_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands);

}  // namespace selfnorm
