// Matrix products by the project's own kernel for Hopper: TMA and wgmma, float16 and bfloat16.
#pragma once

#include "../ops/matmul_problem.h"

namespace selfnorm::SN_BUILD {

// Columns of a tile beside its 128 rows.
enum class WgmmaTileSize { k128, k256 };

// On a device of compute capability 9.0, where rows and matrices begin at multiples of 16 bytes.
bool wgmma_matmul_takes(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands);

// All of the problem, its epilogue included, in one kernel.
void wgmma_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, WgmmaTileSize tile);

}  // namespace selfnorm::SN_BUILD
