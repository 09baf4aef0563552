// A call of one of the matrix product's ops: its tensors, and the problem that they are.
#pragma once

#include "broadcast_shape.h"
#include "matmul_passes.h"

namespace selfnorm::SN_BUILD {

struct Matmul {
  View a, b, bias, y, kept, stamp, saved, sums;
  DropoutMask mask;
  MatmulProblem problem;  // of one outermost batch
  Broadcast<2> batches;   // in matrices

  MatmulOperands operands() const {
    return {a.data, b.data, bias.data, y.data, kept.data, stamp.data, mask, saved.data, sums.data};
  }
  // All batches as one, for what looks at every element of y alike.
  MatmulProblem whole() const {
    MatmulProblem all = problem;
    if (y.size() > 0) all.batch = y.size() / (problem.m * problem.n);
    return all;
  }
};

// Sizes, strides and batches, from the views.
void describe(Matmul& matmul, bool transpose_a, bool transpose_b);
// The activation and the dropout that the parameters behind the transposes name.
void read_activation(const Call& call, Matmul& matmul);
// As much of y = a b, and of what the problem says is to follow, as whoever computes it does.
MatmulStage compute_matmul(Queue& queue, const Matmul& matmul);

}  // namespace selfnorm::SN_BUILD
