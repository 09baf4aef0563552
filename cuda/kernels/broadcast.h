// Broadcasting: the output's axes, merged where every operand walks them alike, with one stride an operand and axis.
// The innermost stride is always 0 or 1, so the CPU's inner loops vectorise.
#pragma once

#include "pack.h"

namespace selfnorm::SN_BUILD {

inline constexpr int kMaxAxes = 8;

template <int Operands>
struct Broadcast {
  int axes = 0;
  int64_t sizes[kMaxAxes] = {};
  int64_t strides[Operands][kMaxAxes] = {};
};

template <int Operands>
struct Offsets {
  int64_t at[Operands];
};

// Dividing 64-bit numbers takes about four times as long as 32-bit ones, and few tensors need them.
SN_HD int64_t divide(int64_t index, int64_t size) {
  const bool narrow = uint64_t(index | size) >> 32 == 0;
  return narrow ? int64_t(uint32_t(index) / uint32_t(size)) : index / size;
}

// Where output element `index` reads each operand.
template <int Operands>
SN_HD Offsets<Operands> offsets_of(const Broadcast<Operands>& shape, int64_t index) {
  Offsets<Operands> offsets{};
  for (int axis = shape.axes - 1; axis >= 0; --axis) {
    // What is left for the outermost axis is the position on it.
    const int64_t rest = axis == 0 ? 0 : divide(index, shape.sizes[axis]);
    const int64_t position = index - rest * shape.sizes[axis];
    for (int operand = 0; operand < Operands; ++operand) offsets.at[operand] += position * shape.strides[operand][axis];
    index = rest;
  }
  return offsets;
}

template <int StrideA, int StrideB, class F, class Out, class In>
SN_DEVICE void binary_segment(int64_t length, const F& f, Out* output, const In* a, const In* b) {
  SN_INDEPENDENT
  for (int64_t i = 0; i < length; ++i) output[i] = store<Out>(f(load(a[i * StrideA]), load(b[i * StrideB])));
}

template <class F, class Out, class In>
__global__ void binary_broadcast_kernel(int64_t n, Broadcast<2> shape, F f, Out* output, const In* a, const In* b) {
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      const Offsets<2> offsets = offsets_of(shape, i);
      output[i] = store<Out>(f(load(a[offsets.at[0]]), load(b[offsets.at[1]])));
    }
  } else {
    const int inner = shape.axes - 1;
    const int64_t row = shape.sizes[inner];
    const bool a_moves = shape.strides[0][inner] != 0, b_moves = shape.strides[1][inner] != 0;
    for (int64_t i = range.begin; i < range.end;) {
      const Offsets<2> offsets = offsets_of(shape, i);
      const int64_t to_row_end = row - i % row, left = range.end - i;
      const int64_t length = to_row_end < left ? to_row_end : left;
      const In *from_a = a + offsets.at[0], *from_b = b + offsets.at[1];
      if (a_moves && b_moves) {
        binary_segment<1, 1>(length, f, output + i, from_a, from_b);
      } else if (a_moves) {
        binary_segment<1, 0>(length, f, output + i, from_a, from_b);
      } else if (b_moves) {
        binary_segment<0, 1>(length, f, output + i, from_a, from_b);
      } else {
        binary_segment<0, 0>(length, f, output + i, from_a, from_b);
      }
      i += length;
    }
  }
}

// output = condition ? a : b, all three broadcast. T stands for any dtype of its size.
template <class T>
__global__ void select_kernel(int64_t n, Broadcast<3> shape, T* output, const boolean* condition, const T* a,
                              const T* b) {
  const Range range = grid_range(n);
  SN_INDEPENDENT
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const Offsets<3> offsets = offsets_of(shape, i);
    output[i] = condition[offsets.at[0]].byte ? a[offsets.at[1]] : b[offsets.at[2]];
  }
}

}  // namespace selfnorm::SN_BUILD
