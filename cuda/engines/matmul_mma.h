// Matrix products by the project's own kernel on tensor cores through mma.sync.
#pragma once

#include "../ops/matmul_problem.h"

namespace selfnorm::SN_BUILD {

enum class MmaTileSize { kLarge, kSmall };

// float16, bfloat16, and float32 where it may be rounded to TF32; any sizes, transposes and alignments.
bool mma_matmul_takes(const MatmulProblem& problem, MmaTileSize tile);

// All of the problem, its epilogue included, in one kernel. Every pointer is aligned to an element at least.
void mma_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, MmaTileSize tile);

}  // namespace selfnorm::SN_BUILD
