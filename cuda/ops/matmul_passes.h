// The passes over a matrix product that a library without such an epilogue leaves to us.
#pragma once

#include "matmul_problem.h"

namespace selfnorm::SN_BUILD {

// What is left of activation and dropout after `done`, over all of the problem's result.
void finish_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, MatmulStage done);

}  // namespace selfnorm::SN_BUILD
