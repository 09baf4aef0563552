// What a matrix product is to a library: plain numbers, so that they can be the key of a cache of plans.
#pragma once

#include "op.h"
#include "problem_key.h"

namespace selfnorm {

// c = a b + bias, row-major, for `batch` matrices whose operands lie `stride` elements apart (0: one for all of them).
// a is [m, k], or [k, m] when transposed; b is [k, n], or [n, k].
struct MatmulProblem {
  DType dtype = DType::kFloat32;
  int32_t transpose_a = 0, transpose_b = 0;
  int32_t has_bias = 0;
  int32_t tensor_float32 = 0;  // CUDA: float32 operands may be rounded to TF32
  int32_t activation = -1;     // row of the activation table applied to the result; -1: none
  int64_t batch = 1, m = 0, n = 0, k = 0;
  int64_t stride_a = 0, stride_b = 0;
  double parameters[2] = {};  // of the activation

  int64_t flops() const { return 2 * batch * m * n * k; }
};

}  // namespace selfnorm
