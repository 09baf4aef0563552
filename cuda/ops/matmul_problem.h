// What a matrix product is to those who compute it: plain numbers, so that they can be the key of a cache, and the
// addresses of one call.
#pragma once

#include "../kernels/matmul_result.h"
#include "op.h"
#include "problem_key.h"

namespace selfnorm {

// y = form(a b), row-major, for `batch` matrices whose operands lie `stride` elements apart (0: one for all of them). a
// is [m, k], or [k, m] when transposed; b is [k, n], or [n, k].
struct MatmulProblem {
  DType dtype = DType::kFloat32;
  int32_t transpose_a = 0, transpose_b = 0;
  int32_t has_bias = 0;
  int32_t tensor_float32 = 0;  // CUDA: float32 operands may be rounded to TF32
  int32_t activation = -1;     // row of the activation table; -1: none
  Keeps keeps = Keeps::kNothing;
  int32_t has_dropout = 0;
  MatmulForm form = MatmulForm::kForward;
  int32_t has_sums = 0;
  int64_t batch = 1, m = 0, n = 0, k = 0;
  int64_t stride_a = 0, stride_b = 0;
  double parameters[2] = {};  // of the activation

  int64_t flops() const { return 2 * batch * m * n * k; }
  int64_t size() const { return batch * m * n; }
};

struct MatmulOperands {
  const void *a = nullptr, *b = nullptr;
  const void* bias = nullptr;  // null unless the problem has one
  void* y = nullptr;
  void* kept = nullptr;         // null unless the problem keeps something
  const void* stamp = nullptr;  // of the dropout, in device memory; null: none
  DropoutMask mask = {};
  const void* saved = nullptr;  // what the activation's derivative takes; null unless the form has one
  void* sums = nullptr;         // [n]; null unless the problem has them

  // Where a product whose activation or dropout is still to come is written: backward wants that too.
  void* product() const { return kept == nullptr ? y : kept; }
};

// How far a library went; what is left is a pass of ours over its result.
enum class MatmulStage {
  kProduct,    // a b + bias is in product(), or added to it where the form adds
  kActivated,  // so is the activation: in y, or in product() where dropout is to follow and its input is kept; of the
               // derivative's form y, but for its sums
  kDropped,    // all is done
};

}  // namespace selfnorm
