// The passes over a matrix product that a library without such an epilogue leaves to us.
#pragma once

#include "matmul_problem.h"

namespace selfnorm::SN_BUILD {

// What is left of the problem's form after `done`, over all of its result.
void finish_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, MatmulStage done);
// The part of it that serves the forms of gradients.
void finish_matmul_gradient(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands,
                            MatmulStage done);

// sums [columns] of `dtype` = those of the columns of float32 partials [rows, columns].
void add_up_rows(Queue& queue, const float* partials, int64_t rows, int64_t columns, DType dtype, void* sums);

// sums [columns] = those of x [..., columns] over all its other axes.
void add_up_columns(Queue& queue, const View& x, const View& sums);

// A tensor of the problem's result as a row of elements.
View flat(const MatmulProblem& problem, void* data);
// The stamp of the operands' dropout as an op's input.
View stamp_of(const MatmulOperands& operands);

}  // namespace selfnorm::SN_BUILD
