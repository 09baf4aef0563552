// The emulator has no library: every product runs the plain kernel, unless a test wants the tensor cores' one.
#pragma once

#include <optional>

#include "../../../cuda/engines/matmul_mma.h"
#include "queue.h"

namespace selfnorm {

inline std::optional<DType> library_matmul_dtype(const MatmulProblem& problem) {
  MatmulProblem rounded = problem;
  rounded.tensor_float32 = problem.dtype == DType::kFloat32;
  const bool takes = tensor_cores && SN_BUILD::mma_matmul_takes(rounded, SN_BUILD::MmaTileSize::kSmall);
  return takes ? std::optional(problem.dtype) : std::nullopt;
}

inline MatmulStage library_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  MatmulProblem rounded = problem;
  rounded.tensor_float32 = problem.dtype == DType::kFloat32;
  SN_BUILD::mma_matmul(queue, rounded, operands, SN_BUILD::MmaTileSize::kSmall);
  return MatmulStage::kDropped;
}

}  // namespace selfnorm
