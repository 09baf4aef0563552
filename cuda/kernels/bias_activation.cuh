// Bias and activation of a [rows, columns] product in one pass, and their gradients in one pass over dy: dz is written
// while its column sums, the bias's gradient, are folded by reduce_columns_kernel.
#pragma once

#include "activations.h"
#include "pack.h"
#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

// `size` elements from column `column` on; sum may be null, to may be from.
template <class Activation, class T>
inline void bias_run(Activation activation, T* to, T* sum, const T* from, const T* bias, int64_t column,
                     int64_t columns, int64_t size) {
  for (int64_t at = 0; at < size; column = 0) {
    const int64_t rest = columns - column, left = size - at, run = rest < left ? rest : left;
    const T *const x = from + at, *const offset = bias + column;
    T* const y = to + at;
    if (sum == nullptr) {
      SN_INDEPENDENT
      for (int64_t i = 0; i < run; ++i) y[i] = store<T>(activation.forward(load(x[i]) + load(offset[i])));
    } else {
      T* const z = sum + at;
      SN_INDEPENDENT
      for (int64_t i = 0; i < run; ++i) {
        const Accumulate<T> value = load(x[i]) + load(offset[i]);
        z[i] = store<T>(value);
        y[i] = store<T>(activation.forward(value));
      }
    }
    at += run;
  }
}

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
    int64_t at = range.begin;
    if (z == nullptr && streams(n, y, x)) {
      constexpr int64_t kTile = kStreamTile / int64_t(sizeof(T));
      alignas(64) T tile[kTile];
      for (; at + kTile <= range.end; at += kTile) {
        bias_run(activation, tile, z, x + at, bias, at % columns, columns, kTile);
        stream_copy(y + at, tile, kStreamTile);
      }
      stream_fence();
    }
    if (at < range.end)
      bias_run(activation, y + at, z == nullptr ? z : z + at, x + at, bias, at % columns, columns, range.end - at);
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
