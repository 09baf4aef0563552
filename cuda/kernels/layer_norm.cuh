// Layer normalisation: every row to mean 0 and variance 1, and its gradients. A block takes a row at a time; the
// backward kernel takes a chunk of rows, so that the gradients of scale and offset are summed while dy and x are at
// hand.
#pragma once

#include "math.h"
#include "normalize.cuh"
#include "reduce.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

template <class T>
struct LayerNormRows {
  using A = Accumulate<T>;
  int64_t rows, width;
  const A *scale, *offset;  // 1 and 0 where null
  A epsilon;
};

// mean and inverse (1 / sqrt(variance + epsilon)) of each row are kept for the gradient.
template <class T>
__global__ void layer_norm_forward_kernel(LayerNormRows<T> shape, const T* x, T* y, Accumulate<T>* mean,
                                          Accumulate<T>* inverse) {
  using A = Accumulate<T>;
  const int64_t width = shape.width;
  const A *const scale = shape.scale, *const offset = shape.offset;
  const Range range = group_range(shape.rows);
  for (int64_t row = range.begin; row < range.end; row += range.step) {
    const T* const from = x + row * width;
    T* const to = y + row * width;
    const Range own = block_range(width);
    // Measured from the row's first value, so that a mean far from zero costs no digits.
    const A start = width > 0 ? load(from[0]) : A(0);
    A sum = 0;
    SN_SIMD_SUM(sum)
    for (int64_t i = own.begin; i < own.end; i += own.step) sum += load(from[i]) - start;
    const A away = block_sum(sum) / A(width);
    A squares = 0;
    SN_SIMD_SUM(squares)
    for (int64_t i = own.begin; i < own.end; i += own.step) {
      const A deviation = (load(from[i]) - start) - away;
      squares += deviation * deviation;
    }
    const A factor = A(1) / math::sqrt(block_sum(squares) / A(width) + shape.epsilon);
    if (own.begin == 0) {
      mean[row] = start + away;
      inverse[row] = factor;
    }
    SN_INDEPENDENT
    for (int64_t i = own.begin; i < own.end; i += own.step) {
      const A normal = ((load(from[i]) - start) - away) * factor;
      to[i] = store<T>(normal * (scale ? scale[i] : A(1)) + (offset ? offset[i] : A(0)));
    }
  }
}

template <class T>
struct LayerNormSaved {
  const T *dy, *x;
  const Accumulate<T>*mean, *inverse;
};

// dx = inverse (g - mean(g) - xhat mean(g xhat)) with g = dy scale and xhat = (x - mean) inverse. partial: [2][chunks]
// [width], sums of dy and of dy xhat over the chunk's rows; null if not wanted.
template <class T>
__global__ void layer_norm_backward_kernel(LayerNormRows<T> shape, int64_t chunk_rows, int64_t chunks,
                                           LayerNormSaved<T> saved, T* dx, Accumulate<T>* partial) {
  using A = Accumulate<T>;
  const int64_t width = shape.width;
  const A* const scale = shape.scale;
  const Range range = group_range(chunks);
  for (int64_t chunk = range.begin; chunk < range.end; chunk += range.step) {
    const Range own = block_range(width);
    // A thread touches only its own columns of these, so no barrier is needed between the rows.
    A* const sums = partial ? partial + chunk * width : nullptr;
    A* const products = partial ? partial + (chunks + chunk) * width : nullptr;
    if (partial) {
      for (int64_t i = own.begin; i < own.end; i += own.step) sums[i] = products[i] = 0;
    }
    const int64_t last = (chunk + 1) * chunk_rows, end = last < shape.rows ? last : shape.rows;
    for (int64_t row = chunk * chunk_rows; row < end; ++row) {
      const T *const dy = saved.dy + row * width, *const x = saved.x + row * width;
      T* const to = dx + row * width;
      const A mean = saved.mean[row], inverse = saved.inverse[row];
      A sum = 0, product = 0;
      SN_SIMD_SUM(sum)
      for (int64_t i = own.begin; i < own.end; i += own.step) sum += load(dy[i]) * (scale ? scale[i] : A(1));
      SN_SIMD_SUM(product)
      for (int64_t i = own.begin; i < own.end; i += own.step) {
        product += load(dy[i]) * (scale ? scale[i] : A(1)) * (load(x[i]) - mean);
      }
      sum = block_sum(sum) / A(width);
      product = block_sum(product) / A(width) * inverse * inverse;
      SN_INDEPENDENT
      for (int64_t i = own.begin; i < own.end; i += own.step) {
        const A gradient = load(dy[i]) * (scale ? scale[i] : A(1));
        to[i] = store<T>(inverse * ((gradient - sum) - (load(x[i]) - mean) * product));
      }
      if (partial) {
        SN_INDEPENDENT
        for (int64_t i = own.begin; i < own.end; i += own.step) {
          const A gradient = load(dy[i]);
          sums[i] += gradient;
          products[i] += gradient * ((load(x[i]) - mean) * inverse);
        }
      }
    }
  }
}

template <class A>
struct ScaleOffsetGradients {
  A *scale, *offset;
  SN_DEVICE void operator()(int64_t column, double sum, double product, const Range& repeats) const {
    if (repeats.begin != 0) return;
    scale[column] = A(product);
    offset[column] = A(sum);
  }
};

}  // namespace selfnorm::SN_BUILD
