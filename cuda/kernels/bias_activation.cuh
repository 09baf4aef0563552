// Bias and activation of a [rows, columns] product in one pass, and their gradients in one pass over dy: dz is written
// while its column sums, the bias's gradient, are folded by reduce_columns_kernel.
#pragma once

#include "activations.h"
#include "pack.h"
#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

// y = f(x + bias); z, where not null, keeps x + bias. y may be x.
template <int Width, class Activation, class T>
__global__ void bias_forward_kernel(int64_t n, int64_t columns, Activation activation, T* y, T* z, const T* x,
                                    const T* bias) {
  if constexpr (kManyThreads) {
    const Range packs = grid_range(n / Width);
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      const int64_t at = p * Width;
      const Pack<T, Width> from = load_pack<Width>(x + at), offset = load_pack<Width>(bias + at % columns);
      Pack<T, Width> sum, result;
      SN_UNROLL
      for (int lane = 0; lane < Width; ++lane) {
        const Accumulate<T> value = load(from.values[lane]) + load(offset.values[lane]);
        sum.values[lane] = store<T>(value);
        result.values[lane] = store<T>(activation.forward(value));
      }
      store_pack(y + at, result);
      if (z != nullptr) store_pack(z + at, sum);
    }
  } else {
    const Range range = grid_range(n);
    for (int64_t at = range.begin; at < range.end;) {
      const int64_t column = at % columns, rest = columns - column, left = range.end - at;
      const int64_t size = rest < left ? rest : left;
      const T *const from = x + at, *const offset = bias + column;
      T *const to = y + at, *const sum = z + at;
      if (z != nullptr) {
        SN_INDEPENDENT
        for (int64_t i = 0; i < size; ++i) {
          const Accumulate<T> value = load(from[i]) + load(offset[i]);
          sum[i] = store<T>(value);
          to[i] = store<T>(activation.forward(value));
        }
      } else {
        SN_INDEPENDENT
        for (int64_t i = 0; i < size; ++i) to[i] = store<T>(activation.forward(load(from[i]) + load(offset[i])));
      }
      at += size;
    }
  }
}

// As a reduction reads an element of dz = dy f'(saved), it is written.
template <class Activation, class T>
struct BiasBackward {
  using State = Accumulate<T>;
  static constexpr bool kNeedsPlace = false;
  Activation activation;
  T* dz;
  const T *dy, *saved;
  SN_HD State operator()(int64_t at, int64_t, int64_t) const {
    const State slope = load(dy[at]) * activation.derivative(load(saved[at]));
    dz[at] = store<T>(slope);
    return slope;
  }
};

}  // namespace selfnorm::SN_BUILD
