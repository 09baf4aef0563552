// Matrix products through oneDNN. cuda/runtime/matmul.h has the same names over cuBLASLt.
#pragma once

#include <optional>

#include "../../cuda/ops/matmul_problem.h"
#include "queue.h"

namespace selfnorm {

// The dtype the library computes the problem in: its own, or float32 for half types this CPU lacks; none where the
// plain kernel is to run: oneDNN absent, a dtype it has no form for, or a product so small that calling it costs more.
std::optional<DType> library_matmul_dtype(const MatmulProblem& problem);

// a b + bias into product(), or added to it; or with the activation into y where oneDNN has that and nothing is to be
// kept. The answer says which.
MatmulStage library_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands);

}  // namespace selfnorm
