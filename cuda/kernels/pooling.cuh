// Max and average pooling over NHWC images. A thread takes one pixel's pack of neighbouring channels; gradients are
// gathered: each input cell looks at the windows that cover it, so nothing is added by two threads.
#pragma once

#include "math.h"
#include "pack.h"

namespace selfnorm::SN_BUILD {

struct PoolShape {
  int64_t batch, in_height, in_width, channels;
  int64_t out_height, out_width;
  int64_t filter_height, filter_width;
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_left;
};

// Cells [begin, end) along one axis.
struct Span {
  int64_t begin, end;
};

// The part of output cell `out`'s window that lies inside the image.
SN_DEVICE Span window_of(int64_t out, int64_t stride, int64_t pad, int64_t filter, int64_t size) {
  const int64_t begin = out * stride - pad, end = begin + filter;
  return {begin < 0 ? 0 : begin, end < size ? end : size};
}

// The output cells whose windows cover input cell `in`.
SN_DEVICE Span windows_over(int64_t in, int64_t stride, int64_t pad, int64_t filter, int64_t outputs) {
  const int64_t from = in + pad - filter + 1, last = (in + pad) / stride;
  const int64_t begin = from <= 0 ? 0 : (from + stride - 1) / stride;
  return {begin, last + 1 < outputs ? last + 1 : outputs};
}

// The value every element of a window is at least as large as.
template <class A>
SN_DEVICE A least() {
  if constexpr (std::is_floating_point_v<A>) {
    return -std::numeric_limits<A>::infinity();
  } else {
    return std::numeric_limits<A>::lowest();
  }
}

// The larger of the two, NaN if either is; as two selects, which vectorise where one with a combined condition does
// not.
template <class A>
SN_DEVICE A larger(A best, A x) {
  const A result = best > x ? best : x;
  return best != best ? best : result;
}

// 1 where an element is as large as its window's maximum, else 0; NaN is the maximum of a window that has one.
template <class A>
SN_DEVICE A is_maximum(A x, A maximum) {
  const A both_nan = maximum != maximum ? A(1) : A(0);
  const A unequal = x != x ? both_nan : A(0);
  return x == maximum ? A(1) : unequal;
}

struct MaxPool {
  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t row, int64_t column, int64_t channel, T* y,
                           const T* x) {
    using A = Accumulate<T>;
    const Span rows = window_of(row, s.stride_height, s.pad_top, s.filter_height, s.in_height);
    const Span columns = window_of(column, s.stride_width, s.pad_left, s.filter_width, s.in_width);
    A best[Lanes];
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) best[lane] = least<A>();
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        const auto in = load_pack<Lanes>(x + ((image * s.in_height + i) * s.in_width + j) * s.channels + channel);
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) best[lane] = larger(best[lane], A(load(in.values[lane])));
      }
    }
    Pack<T, Lanes> out;
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) out.values[lane] = store<T>(best[lane]);
    store_pack(y + ((image * s.out_height + row) * s.out_width + column) * s.channels + channel, out);
  }
};

// What stands in g at the place each window's maximum came from: the derivative of MaxPoolBackward by dy.
struct MaxPoolPick {
  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t row, int64_t column, int64_t channel, T* out,
                           const T* g, const T* x, const T* y) {
    using A = Accumulate<T>;
    const Span rows = window_of(row, s.stride_height, s.pad_top, s.filter_height, s.in_height);
    const Span columns = window_of(column, s.stride_width, s.pad_left, s.filter_width, s.in_width);
    const int64_t to = ((image * s.out_height + row) * s.out_width + column) * s.channels + channel;
    const auto maximum = load_pack<Lanes>(y + to);
    A picked[Lanes] = {};
    A free[Lanes];  // 1 until the window's first maximum was met
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) free[lane] = A(1);
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        const int64_t from = ((image * s.in_height + i) * s.in_width + j) * s.channels + channel;
        const auto in = load_pack<Lanes>(x + from);
        const auto value = load_pack<Lanes>(g + from);
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) {
          const A first = free[lane] * is_maximum(A(load(in.values[lane])), A(load(maximum.values[lane])));
          picked[lane] = first > A(0) ? A(load(value.values[lane])) : picked[lane];
          free[lane] -= first;
        }
      }
    }
    Pack<T, Lanes> result;
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) result.values[lane] = store<T>(picked[lane]);
    store_pack(out + to, result);
  }
};

// The gradient of a window goes to the first of its largest elements, as in TensorFlow and PyTorch.
struct MaxPoolBackward {
  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t row, int64_t column, int64_t channel, T* dx,
                           const T* dy, const T* x, const T* y) {
    using A = Accumulate<T>;
    const Span over_rows = windows_over(row, s.stride_height, s.pad_top, s.filter_height, s.out_height);
    const Span over_columns = windows_over(column, s.stride_width, s.pad_left, s.filter_width, s.out_width);
    const int64_t to = ((image * s.in_height + row) * s.in_width + column) * s.channels + channel;
    const auto own = load_pack<Lanes>(x + to);
    A sum[Lanes] = {};
    for (int64_t p = over_rows.begin; p < over_rows.end; ++p) {
      const Span rows = window_of(p, s.stride_height, s.pad_top, s.filter_height, s.in_height);
      for (int64_t q = over_columns.begin; q < over_columns.end; ++q) {
        const Span columns = window_of(q, s.stride_width, s.pad_left, s.filter_width, s.in_width);
        const int64_t from = ((image * s.out_height + p) * s.out_width + q) * s.channels + channel;
        const auto maximum = load_pack<Lanes>(y + from);
        const auto gradient = load_pack<Lanes>(dy + from);
        A free[Lanes];  // 1 until an earlier maximum was met
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) free[lane] = A(1);
        // Elements of the window before this one.
        for (int64_t i = rows.begin; i <= row; ++i) {
          const int64_t end = i < row ? columns.end : column;
          for (int64_t j = columns.begin; j < end; ++j) {
            const auto earlier =
                load_pack<Lanes>(x + ((image * s.in_height + i) * s.in_width + j) * s.channels + channel);
            SN_SIMD
            for (int lane = 0; lane < Lanes; ++lane) {
              const A is = is_maximum(A(load(earlier.values[lane])), A(load(maximum.values[lane])));
              free[lane] = is > A(0) ? A(0) : free[lane];
            }
          }
        }
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) {
          const A chosen = free[lane] * is_maximum(A(load(own.values[lane])), A(load(maximum.values[lane])));
          sum[lane] += chosen > A(0) ? A(load(gradient.values[lane])) : A(0);
        }
      }
    }
    Pack<T, Lanes> result;
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) result.values[lane] = store<T>(sum[lane]);
    store_pack(dx + to, result);
  }
};

// The same where no two windows overlap, which is most pooling: every cell belongs to one tile of a stride's size,
// which starts with its window, so a window is searched once and not once a cell.
struct MaxPoolTilesBackward {
  static bool fits(const PoolShape& s) {
    return s.filter_height <= s.stride_height && s.filter_width <= s.stride_width;
  }
  static int64_t tiles(int64_t size, int64_t pad, int64_t stride) { return (size + pad + stride - 1) / stride; }

  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t p, int64_t q, int64_t channel, T* dx, const T* dy,
                           const T* x, const T* y) {
    using A = Accumulate<T>;
    const Span tile_rows = window_of(p, s.stride_height, s.pad_top, s.stride_height, s.in_height);
    const Span tile_columns = window_of(q, s.stride_width, s.pad_left, s.stride_width, s.in_width);
    const bool pooled = p < s.out_height && q < s.out_width;
    const int64_t rows_end = window_of(p, s.stride_height, s.pad_top, s.filter_height, s.in_height).end;
    const int64_t columns_end = window_of(q, s.stride_width, s.pad_left, s.filter_width, s.in_width).end;
    Pack<T, Lanes> maximum{}, gradient{};
    if (pooled) {
      const int64_t from = ((image * s.out_height + p) * s.out_width + q) * s.channels + channel;
      maximum = load_pack<Lanes>(y + from);
      gradient = load_pack<Lanes>(dy + from);
    }
    A free[Lanes];  // 1 until the window's first maximum was met
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) free[lane] = A(1);
    for (int64_t i = tile_rows.begin; i < tile_rows.end; ++i) {
      for (int64_t j = tile_columns.begin; j < tile_columns.end; ++j) {
        const int64_t to = ((image * s.in_height + i) * s.in_width + j) * s.channels + channel;
        Pack<T, Lanes> result{};
        if (pooled && i < rows_end && j < columns_end) {
          const auto own = load_pack<Lanes>(x + to);
          SN_SIMD
          for (int lane = 0; lane < Lanes; ++lane) {
            const A chosen = free[lane] * is_maximum(A(load(own.values[lane])), A(load(maximum.values[lane])));
            free[lane] -= chosen;
            result.values[lane] = store<T>(chosen > A(0) ? A(load(gradient.values[lane])) : A(0));
          }
        }
        store_pack(dx + to, result);
      }
    }
  }
};

// The mean of the elements inside the image: padding does not count.
struct AvgPool {
  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t row, int64_t column, int64_t channel, T* y,
                           const T* x) {
    using A = Accumulate<T>;
    const Span rows = window_of(row, s.stride_height, s.pad_top, s.filter_height, s.in_height);
    const Span columns = window_of(column, s.stride_width, s.pad_left, s.filter_width, s.in_width);
    A sum[Lanes] = {};
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        const auto in = load_pack<Lanes>(x + ((image * s.in_height + i) * s.in_width + j) * s.channels + channel);
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) sum[lane] += A(load(in.values[lane]));
      }
    }
    const A count = A((rows.end - rows.begin) * (columns.end - columns.begin));
    Pack<T, Lanes> out;
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) out.values[lane] = store<T>(sum[lane] / count);
    store_pack(y + ((image * s.out_height + row) * s.out_width + column) * s.channels + channel, out);
  }
};

struct AvgPoolBackward {
  template <int Lanes, class T>
  static SN_DEVICE void at(const PoolShape& s, int64_t image, int64_t row, int64_t column, int64_t channel, T* dx,
                           const T* dy) {
    using A = Accumulate<T>;
    const Span over_rows = windows_over(row, s.stride_height, s.pad_top, s.filter_height, s.out_height);
    const Span over_columns = windows_over(column, s.stride_width, s.pad_left, s.filter_width, s.out_width);
    A sum[Lanes] = {};
    for (int64_t p = over_rows.begin; p < over_rows.end; ++p) {
      const Span rows = window_of(p, s.stride_height, s.pad_top, s.filter_height, s.in_height);
      for (int64_t q = over_columns.begin; q < over_columns.end; ++q) {
        const Span columns = window_of(q, s.stride_width, s.pad_left, s.filter_width, s.in_width);
        const A count = A((rows.end - rows.begin) * (columns.end - columns.begin));
        const auto gradient =
            load_pack<Lanes>(dy + ((image * s.out_height + p) * s.out_width + q) * s.channels + channel);
        SN_SIMD
        for (int lane = 0; lane < Lanes; ++lane) sum[lane] += A(load(gradient.values[lane])) / count;
      }
    }
    Pack<T, Lanes> result;
    SN_SIMD
    for (int lane = 0; lane < Lanes; ++lane) result.values[lane] = store<T>(sum[lane]);
    store_pack(dx + ((image * s.in_height + row) * s.in_width + column) * s.channels + channel, result);
  }
};

// Runs Pool::at once a pixel of a [batch, height, width] grid and pack of channels; channels that fill no pack one by
// one.
template <int Lanes, class Pool, class T, class... In>
__global__ void pool_kernel(PoolShape shape, int64_t height, int64_t width, T* output, const In*... inputs) {
  const int64_t packs = (shape.channels + Lanes - 1) / Lanes;
  const Range range = grid_range(shape.batch * height * width * packs);
  for (int64_t unit = range.begin; unit < range.end; unit += range.step) {
    const int64_t pixel = unit / packs, channel = (unit - pixel * packs) * Lanes;
    const int64_t line = pixel / width, column = pixel - line * width;
    const int64_t image = line / height, row = line - image * height;
    if (channel + Lanes <= shape.channels) {
      Pool::template at<Lanes>(shape, image, row, column, channel, output, inputs...);
    } else {
      for (int64_t c = channel; c < shape.channels; ++c) {
        Pool::template at<1>(shape, image, row, column, c, output, inputs...);
      }
    }
  }
}

}  // namespace selfnorm::SN_BUILD
