// What a matrix product does with its sums where it is the gradient by a layer's input: times the derivative of the
// activation that made the input, so that they are the gradient by the layer below's product; and their column sums,
// which are that layer's bias gradient. The sums of a block's rows are stored as partial ones, a row a block, and added
// up by a kernel of its own: in an order that depends on the sizes alone.
#pragma once

#include "matmul_epilogue.h"
#include "tensor_core.h"

namespace selfnorm::SN_BUILD {

template <class T>
struct MatmulDerivative {
  using Value = T;
  static constexpr bool kSumsColumns = true;

  T* y;
  const T* saved;            // what the derivative takes; null for the identity
  float* partials;           // null: no sums are wanted
  const RandomStamp* stamp;  // of the dropout behind the activation; null: none
  int activation;
  double parameters[2];
  MaskedAffine<float> mask;
  bool packs;
};

template <class... Functors>
SN_DEVICE void differentiate_quad(ActivationList<Functors...>, int row, const double* parameters,
                                  const float (&saved)[kQuad], float (&values)[kQuad]) {
  int index = 0;
  const auto apply = [&]<class Activation>() {
    if (row != index++) return;
    const Activation activation(parameters);
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) values[i] *= activation.derivative(saved[i]);
  };
  (apply.template operator()<Functors>(), ...);
}

// As the epilogue's; values become what the bias's gradient adds up.
template <class T>
SN_DEVICE void finish_quad(const MatmulDerivative<T>& epilogue, int64_t first, int64_t, int count,
                           float (&values)[kQuad]) {
  const bool packs = epilogue.packs && count == kQuad;
  round_quad<T>(values);
  if (epilogue.stamp != nullptr) {
    drop_quad(*epilogue.stamp, epilogue.mask, first, values);
    round_quad<T>(values);
  }
  if (epilogue.saved != nullptr) {
    float saved[kQuad];
    load_quad(saved, epilogue.saved + first, count, packs);
    differentiate_quad(Activations{}, epilogue.activation, epilogue.parameters, saved, values);
  }
  store_quad(epilogue.y + first, values, count, packs);
}

// A thread's part of a block's column sums; the thread meets the same four columns in all its rows.
struct ColumnSums {
  float at[kQuad] = {};

  SN_DEVICE void add(const float (&values)[kQuad], int count) {
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) at[i] += i < count ? values[i] : 0;
  }
};

// Adds the parts of `Threads` threads, which lie Columns / kQuad to a row, and stores columns `column` to `n` of `to`.
// `room` is theirs after a barrier: Threads * kQuad floats.
template <int Threads, int Columns, class Barrier>
SN_DEVICE void store_column_sums(const ColumnSums& part, SharedAddress room, float* to, int64_t column, int64_t n,
                                 int thread, Barrier barrier) {
  constexpr int kRowQuads = Columns / kQuad;
  static_assert(Threads % kRowQuads == 0);
  barrier();
  const SharedAddress mine = room + thread * kQuad * 4;
  store_shared(mine, part.at[0], part.at[1]);
  store_shared(mine + 8, part.at[2], part.at[3]);
  barrier();
  if (thread < kRowQuads) {
    float sums[kQuad] = {};
    for (int row = 0; row < Threads / kRowQuads; ++row) {
      float other[kQuad];
      load_shared(other, room + (row * kRowQuads + thread) * kQuad * 4);
      SN_UNROLL
      for (int i = 0; i < kQuad; ++i) sums[i] += other[i];
    }
    const int64_t first = column + thread * kQuad;
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) {
      if (first + i < n) to[first + i] = sums[i];
    }
  }
  barrier();
}

}  // namespace selfnorm::SN_BUILD
