// Convolution without a library: float64, what a library has no fast engine for (groups of few channels), and where no
// library was found. Direct sums over NHWC
// images: a block takes output cells and a run of channels, which are neighbours in memory and become the CPU's
// vectors.
#pragma once

#include "math.h"
#include "range.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

struct ConvolutionShape {
  int64_t batch, in_height, in_width, in_channels;
  int64_t out_height, out_width, out_channels;
  int64_t filter_height, filter_width;
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_left;
  int64_t dilation_height, dilation_width;
  int64_t group_inputs, group_outputs;  // channels of a group
};

inline constexpr int kChannelRun = 64;  // channels a group sums at a time
inline constexpr int kPixelRun = 4;     // neighbouring output pixels a group sums at a time: they share the filter
inline constexpr int kInputRun = 4;     // filter rows the filter's gradient sums at a time: they share dy

SN_HD int64_t runs_of(int64_t n, int64_t run) { return (n + run - 1) / run; }

// y. Each thread keeps to its own channels of `sums`, so no barrier is needed anywhere in this file.
template <bool Grouped, class T>
__global__ void convolution_forward_kernel(ConvolutionShape s, int64_t groups, T* y, const T* x, const T* filter,
                                           const T* bias) {
  using A = Accumulate<T>;
  SN_SHARED(A, sums, kPixelRun * kChannelRun);
  SN_SHARED(int32_t, source, Grouped ? kChannelRun : 1);  // the first input channel of each output channel's group
  const int64_t channel_runs = runs_of(s.out_channels, kChannelRun), pixel_runs = runs_of(s.out_width, kPixelRun);
  const Range range = group_range(groups);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t line = group / (pixel_runs * channel_runs), place = group - line * pixel_runs * channel_runs;
    const int64_t image = line / s.out_height, row = line - image * s.out_height;
    const int64_t column0 = place / channel_runs * kPixelRun, channel0 = place % channel_runs * kChannelRun;
    const int64_t pixels = s.out_width - column0 < kPixelRun ? s.out_width - column0 : kPixelRun;
    const int64_t count = s.out_channels - channel0 < kChannelRun ? s.out_channels - channel0 : kChannelRun;
    const Range own = block_range(count);
    if constexpr (Grouped) {
      for (int64_t c = own.begin; c < own.end; c += own.step) {
        source[c] = int32_t((channel0 + c) / s.group_outputs * s.group_inputs);
      }
    }
    for (int64_t p = 0; p < pixels; ++p) {
      for (int64_t c = own.begin; c < own.end; c += own.step) {
        sums[p * kChannelRun + c] = bias == nullptr ? A(0) : A(load(bias[channel0 + c]));
      }
    }
    for (int64_t i = 0; i < s.filter_height; ++i) {
      const int64_t in_row = row * s.stride_height - s.pad_top + i * s.dilation_height;
      if (in_row < 0 || in_row >= s.in_height) continue;
      const T* const line_x = x + (image * s.in_height + in_row) * s.in_width * s.in_channels;
      for (int64_t j = 0; j < s.filter_width; ++j) {
        const int64_t tap = i * s.filter_width + j;
        const int64_t in_column0 = column0 * s.stride_width - s.pad_left + j * s.dilation_width;
        if constexpr (Grouped) {
          const T* const weights = filter + tap * s.group_inputs * s.out_channels + channel0;
          for (int64_t p = 0; p < pixels; ++p) {
            const int64_t in_column = in_column0 + p * s.stride_width;
            if (in_column < 0 || in_column >= s.in_width) continue;
            const T* const cell = line_x + in_column * s.in_channels;
            A* const sum = sums + p * kChannelRun;
            if (s.group_inputs == 1 && s.group_outputs == 1) {
              SN_INDEPENDENT
              for (int64_t c = own.begin; c < own.end; c += own.step) {
                sum[c] += A(load(cell[channel0 + c])) * A(load(weights[c]));
              }
            } else {
              for (int64_t d = 0; d < s.group_inputs; ++d) {
                SN_INDEPENDENT
                for (int64_t c = own.begin; c < own.end; c += own.step) {
                  sum[c] += A(load(cell[source[c] + d])) * A(load(weights[d * s.out_channels + c]));
                }
              }
            }
          }
        } else {
          for (int64_t d = 0; d < s.in_channels; ++d) {
            const T* const weights = filter + (tap * s.in_channels + d) * s.out_channels + channel0;
            for (int64_t p = 0; p < pixels; ++p) {
              const int64_t in_column = in_column0 + p * s.stride_width;
              if (in_column < 0 || in_column >= s.in_width) continue;
              const A value = A(load(line_x[in_column * s.in_channels + d]));
              A* const sum = sums + p * kChannelRun;
              SN_INDEPENDENT
              for (int64_t c = own.begin; c < own.end; c += own.step) sum[c] += value * A(load(weights[c]));
            }
          }
        }
      }
    }
    T* const to = y + ((image * s.out_height + row) * s.out_width + column0) * s.out_channels + channel0;
    for (int64_t p = 0; p < pixels; ++p) {
      for (int64_t c = own.begin; c < own.end; c += own.step) {
        to[p * s.out_channels + c] = store<T>(sums[p * kChannelRun + c]);
      }
    }
  }
}

// The output cell that reads input cell `in` through filter tap `tap`, or -1.
SN_DEVICE int64_t reader_of(int64_t in, int64_t tap, int64_t stride, int64_t pad, int64_t dilation, int64_t outputs) {
  const int64_t distance = in + pad - tap * dilation;
  if (distance < 0 || distance % stride != 0) return -1;
  return distance / stride < outputs ? distance / stride : -1;
}

// dx, gathered: an input cell asks each tap of the filter which output read it.
template <bool Grouped, class T>
__global__ void convolution_backward_input_kernel(ConvolutionShape s, int64_t groups, T* dx, const T* dy,
                                                  const T* filter) {
  using A = Accumulate<T>;
  SN_SHARED(A, sums, kChannelRun);
  const int64_t channel_runs = runs_of(s.in_channels, kChannelRun);
  const Range range = group_range(groups);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t pixel = group / channel_runs, channel0 = (group - pixel * channel_runs) * kChannelRun;
    const int64_t line = pixel / s.in_width, column = pixel - line * s.in_width;
    const int64_t image = line / s.in_height, row = line - image * s.in_height;
    const int64_t count = s.in_channels - channel0 < kChannelRun ? s.in_channels - channel0 : kChannelRun;
    const Range own = block_range(count);
    for (int64_t c = own.begin; c < own.end; c += own.step) sums[c] = A(0);
    for (int64_t i = 0; i < s.filter_height; ++i) {
      const int64_t out_row = reader_of(row, i, s.stride_height, s.pad_top, s.dilation_height, s.out_height);
      if (out_row < 0) continue;
      for (int64_t j = 0; j < s.filter_width; ++j) {
        const int64_t out_column = reader_of(column, j, s.stride_width, s.pad_left, s.dilation_width, s.out_width);
        if (out_column < 0) continue;
        const T* const cell = dy + ((image * s.out_height + out_row) * s.out_width + out_column) * s.out_channels;
        const int64_t tap = i * s.filter_width + j;
        for (int64_t c = own.begin; c < own.end; c += own.step) {
          const int64_t channel = channel0 + c;
          A sum = A(0);
          if constexpr (Grouped) {
            const int64_t group = channel / s.group_inputs, d = channel - group * s.group_inputs;
            const int64_t first = group * s.group_outputs;
            const T* const weights = filter + (tap * s.group_inputs + d) * s.out_channels + first;
            for (int64_t k = 0; k < s.group_outputs; ++k) sum += A(load(cell[first + k])) * A(load(weights[k]));
          } else {
            const T* const weights = filter + (tap * s.in_channels + channel) * s.out_channels;
            SN_SIMD_SUM(sum)
            for (int64_t k = 0; k < s.out_channels; ++k) sum += A(load(cell[k])) * A(load(weights[k]));
          }
          sums[c] += sum;
        }
      }
    }
    for (int64_t c = own.begin; c < own.end; c += own.step) {
      dx[pixel * s.in_channels + channel0 + c] = store<T>(sums[c]);
    }
  }
}

// First stage of the filter's gradient: chunk number `chunk` of the output lines (batch x out_height) into its own
// slice of `partials` [chunks, filter size].
template <bool Grouped, class T>
__global__ void convolution_backward_filter_kernel(ConvolutionShape s, int64_t chunks, int64_t groups,
                                                   Accumulate<T>* partials, const T* x, const T* dy) {
  using A = Accumulate<T>;
  SN_SHARED(A, sums, kInputRun * kChannelRun);
  SN_SHARED(int32_t, source, Grouped ? kChannelRun : 1);  // the first input channel of each output channel's group
  const int64_t lines = s.batch * s.out_height, taps = s.filter_height * s.filter_width;
  const int64_t inputs = s.group_inputs, input_runs = runs_of(inputs, kInputRun);
  const int64_t channel_runs = runs_of(s.out_channels, kChannelRun);
  const Range range = group_range(groups);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t channel0 = group % channel_runs * kChannelRun;
    const int64_t input0 = group / channel_runs % input_runs * kInputRun;
    const int64_t tap = group / (channel_runs * input_runs) % taps, chunk = group / (channel_runs * input_runs * taps);
    const int64_t i = tap / s.filter_width, j = tap - i * s.filter_width;
    const int64_t input_count = inputs - input0 < kInputRun ? inputs - input0 : kInputRun;
    const int64_t count = s.out_channels - channel0 < kChannelRun ? s.out_channels - channel0 : kChannelRun;
    const Range own = block_range(count);
    if constexpr (Grouped) {
      for (int64_t c = own.begin; c < own.end; c += own.step) {
        source[c] = int32_t((channel0 + c) / s.group_outputs * s.group_inputs);
      }
    }
    for (int64_t d = 0; d < input_count; ++d) {
      for (int64_t c = own.begin; c < own.end; c += own.step) sums[d * kChannelRun + c] = A(0);
    }
    for (int64_t line = lines * chunk / chunks; line < lines * (chunk + 1) / chunks; ++line) {
      const int64_t image = line / s.out_height, row = line - image * s.out_height;
      const int64_t in_row = row * s.stride_height - s.pad_top + i * s.dilation_height;
      if (in_row < 0 || in_row >= s.in_height) continue;
      for (int64_t column = 0; column < s.out_width; ++column) {
        const int64_t in_column = column * s.stride_width - s.pad_left + j * s.dilation_width;
        if (in_column < 0 || in_column >= s.in_width) continue;
        const T* const cell = x + ((image * s.in_height + in_row) * s.in_width + in_column) * s.in_channels;
        const T* const gradient = dy + (line * s.out_width + column) * s.out_channels + channel0;
        if constexpr (Grouped) {
          for (int64_t d = 0; d < input_count; ++d) {
            A* const sum = sums + d * kChannelRun;
            SN_INDEPENDENT
            for (int64_t c = own.begin; c < own.end; c += own.step) {
              sum[c] += A(load(cell[source[c] + input0 + d])) * A(load(gradient[c]));
            }
          }
        } else {
          for (int64_t d = 0; d < input_count; ++d) {
            const A value = A(load(cell[input0 + d]));
            A* const sum = sums + d * kChannelRun;
            SN_INDEPENDENT
            for (int64_t c = own.begin; c < own.end; c += own.step) sum[c] += value * A(load(gradient[c]));
          }
        }
      }
    }
    A* const to = partials + ((chunk * taps + tap) * inputs + input0) * s.out_channels + channel0;
    for (int64_t d = 0; d < input_count; ++d) {
      for (int64_t c = own.begin; c < own.end; c += own.step) to[d * s.out_channels + c] = sums[d * kChannelRun + c];
    }
  }
}

// Second stage: the slices added in their order.
template <class T>
__global__ void convolution_filter_sum_kernel(int64_t n, int64_t chunks, T* filter, const Accumulate<T>* partials) {
  using A = Accumulate<T>;
  const Range range = grid_range(n);
  SN_INDEPENDENT
  for (int64_t e = range.begin; e < range.end; e += range.step) {
    A sum = partials[e];
    for (int64_t chunk = 1; chunk < chunks; ++chunk) sum += partials[chunk * n + e];
    filter[e] = store<T>(sum);
  }
}

// output [columns, rows] = transposed input [rows, columns]: a filter between two libraries' layouts.
template <class T>
__global__ void transpose_matrix_kernel(int64_t rows, int64_t columns, T* output, const T* input) {
  const Range range = grid_range(rows * columns);
  for (int64_t e = range.begin; e < range.end; e += range.step) {
    const int64_t column = e / rows, row = e - column * rows;
    output[e] = input[row * columns + column];
  }
}

}  // namespace selfnorm::SN_BUILD
