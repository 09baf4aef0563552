// Picking slices by index, and its transpose: adding slices up at their indices. The tensor is [batch, outer, length,
// inner], the indices [batch, picks]; an index outside [0, length) reads the fill value and adds to nothing.
#pragma once

#include "data_movement.cuh"
#include "reduce.h"

namespace selfnorm::SN_BUILD {

struct GatherShape {
  int64_t batch, outer, length, inner, picks;
  int64_t shared = 1;  // neighbouring indices of scatterAdd that share an update
};

// output[b, o, k, i] = input[b, o, indices[b, k], i]
template <class T>
__global__ void gather_kernel(int64_t n, GatherShape shape, T outside, T* output, const T* input,
                              const int32_t* indices) {
  const int64_t inner = shape.inner;
  const auto source_of = [&](int64_t row) -> int64_t {
    const int64_t plane = quotient(row, shape.picks), pick = row - plane * shape.picks;
    const int64_t index = indices[quotient(plane, shape.outer) * shape.picks + pick];
    return index >= 0 && index < shape.length ? (plane * shape.length + index) * inner : -1;
  };
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      const int64_t row = quotient(i, inner), source = source_of(row);
      output[i] = source < 0 ? outside : input[source + i - row * inner];
    }
  } else {
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t row = i / inner, begin = i - row * inner, source = source_of(row);
      const int64_t length = inner - begin < range.end - i ? inner - begin : range.end - i;
      if (source < 0) {
        for (int64_t k = 0; k < length; ++k) output[i + k] = outside;
      } else {
        copy_row(length, output + i, input + source + begin);
      }
      i += length;
    }
  }
}

// Rows of the output a GPU block owns: it reads all indices once for them.
inline constexpr int64_t kScatterRows = 64;

// output[b, o, j, i] = sum of updates[b, o, k / shared, i] over the k with indices[b, k] == j, in the order of k
// whatever the number of threads: an element is added up by the one thread that owns it. Groups are runs of rows of the
// output, all of one plane.
template <class T>
__global__ void scatter_add_blocks_kernel(int64_t groups, GatherShape shape, T* output, const T* updates,
                                          const int32_t* indices) {
  SN_SHARED(int32_t, picked, kMaxBlock);
  const int64_t runs = (shape.length + kScatterRows - 1) / kScatterRows;
  const Range range = group_range(groups);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t plane = quotient(group, runs), first = (group - plane * runs) * kScatterRows;
    const int64_t rows = shape.length - first < kScatterRows ? shape.length - first : kScatterRows;
    const int32_t* const own_indices = indices + quotient(plane, shape.outer) * shape.picks;
    const T* const own_updates = updates + plane * (shape.picks / shape.shared) * shape.inner;
    T* const out = output + (plane * shape.length + first) * shape.inner;
    // This thread owns the cells thread, thread + threads, ... of the run.
    const Range cells = block_range(rows * shape.inner);
    for (int64_t cell = cells.begin; cell < cells.end; cell += cells.step) out[cell] = T(0);
    for (int64_t start = 0; start < shape.picks; start += kMaxBlock) {
      const int64_t left = shape.picks - start, count = left < kMaxBlock ? left : kMaxBlock;
      const Range loads = block_range(count);
      for (int64_t k = loads.begin; k < loads.end; k += loads.step) picked[k] = own_indices[start + k];
      sync_threads();
      for (int64_t k = 0; k < count; ++k) {
        const int64_t row = int64_t(picked[k]) - first;
        if (row < 0 || row >= rows) continue;
        // The first own cell in [row * inner, (row + 1) * inner).
        const int64_t begin = row * shape.inner;
        const int64_t skipped = begin <= cells.begin ? 0 : quotient(begin - cells.begin + cells.step - 1, cells.step);
        for (int64_t cell = cells.begin + skipped * cells.step; cell < begin + shape.inner; cell += cells.step) {
          out[cell] = out[cell] + own_updates[quotient(start + k, shape.shared) * shape.inner + cell - begin];
        }
      }
      sync_threads();
    }
  }
}

// The same where a worker takes any run of rows of all planes: it reads the indices once for each plane it touches.
template <class T>
__global__ void scatter_add_rows_kernel(int64_t rows, GatherShape shape, T* output, const T* updates,
                                        const int32_t* indices) {
  const Range range = group_range(rows);
  for (int64_t begin = range.begin; begin < range.end;) {
    const int64_t plane = begin / shape.length, base = plane * shape.length;
    const int64_t end = base + shape.length < range.end ? base + shape.length : range.end;
    for (int64_t i = begin * shape.inner; i < end * shape.inner; ++i) output[i] = T(0);
    const int32_t* const own_indices = indices + plane / shape.outer * shape.picks;
    const T* const own_updates = updates + plane * (shape.picks / shape.shared) * shape.inner;
    for (int64_t k = 0; k < shape.picks; ++k) {
      const int64_t index = own_indices[k], row = base + index;
      // A negative index of a later plane would point into an earlier one.
      if (index < 0 || row < begin || row >= end) continue;
      T* const out = output + row * shape.inner;
      const T* const update = own_updates + k / shape.shared * shape.inner;
      SN_INDEPENDENT
      for (int64_t i = 0; i < shape.inner; ++i) out[i] = out[i] + update[i];
    }
    begin = end;
  }
}

// output[i, d] = indices[i] == d ? on : off
template <class T>
__global__ void one_hot_kernel(int64_t n, int64_t depth, T on, T off, T* output, const int32_t* indices) {
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      const int64_t row = quotient(i, depth);
      output[i] = indices[row] == i - row * depth ? on : off;
    }
  } else {
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t row = i / depth, row_end = (row + 1) * depth;
      const int64_t end = row_end < range.end ? row_end : range.end, hot = row * depth + indices[row];
      for (int64_t k = i; k < end; ++k) output[k] = off;
      if (indices[row] >= 0 && hot >= i && hot < end) output[hot] = on;
      i = end;
    }
  }
}

}  // namespace selfnorm::SN_BUILD
