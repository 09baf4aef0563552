// Copies between two strided walks over one box of elements: broadcastTo, transpose, slice, reverse, tile and concat
// are all this with other strides. Values are never computed with, so T stands for every dtype of its size.
#pragma once

#include "pack.h"

namespace selfnorm::SN_BUILD {

// tile walks two axes for each of the tensor's.
inline constexpr int kMaxWalkAxes = 16;

// Axes of the box, outermost first, and how far a step along each moves the reader and the writer. A stride may be 0 or
// negative.
struct Walk {
  int axes = 0;
  int64_t sizes[kMaxWalkAxes] = {};
  int64_t from[kMaxWalkAxes] = {};
  int64_t to[kMaxWalkAxes] = {};
};

struct WalkOffsets {
  int64_t from = 0, to = 0;
};

// 64-bit division is some ten times the work of 32-bit division on the GPU, and most tensors are small enough for it.
SN_DEVICE int64_t quotient(int64_t a, int64_t b) {
  if constexpr (kGpu) {
    if (((a | b) >> 32) == 0) return int64_t(uint32_t(a) / uint32_t(b));
  }
  return a / b;
}

// Where element `index` of the walk's first `axes` axes lies.
SN_DEVICE WalkOffsets walk_offsets(const Walk& walk, int axes, int64_t index) {
  WalkOffsets offsets;
  for (int axis = axes - 1; axis >= 0; --axis) {
    const int64_t rest = quotient(index, walk.sizes[axis]), position = index - rest * walk.sizes[axis];
    offsets.from += position * walk.from[axis];
    offsets.to += position * walk.to[axis];
    index = rest;
  }
  return offsets;
}

// Steps through the rows of a walk (all axes but the innermost) without a division a row.
struct RowCursor {
  int64_t position[kMaxWalkAxes] = {};
  WalkOffsets at;

  SN_DEVICE RowCursor(const Walk& walk, int64_t row) {
    for (int axis = walk.axes - 2; axis >= 0; --axis) {
      const int64_t rest = row / walk.sizes[axis];
      position[axis] = row - rest * walk.sizes[axis];
      at.from += position[axis] * walk.from[axis];
      at.to += position[axis] * walk.to[axis];
      row = rest;
    }
  }
  SN_DEVICE void next(const Walk& walk) {
    for (int axis = walk.axes - 2; axis >= 0; --axis) {
      at.from += walk.from[axis];
      at.to += walk.to[axis];
      if (++position[axis] < walk.sizes[axis]) return;
      at.from -= position[axis] * walk.from[axis];
      at.to -= position[axis] * walk.to[axis];
      position[axis] = 0;
    }
  }
};

// Short rows are copied in place: a call to memcpy costs more than they do.
template <class T>
void copy_row(int64_t length, T* to, const T* from) {
  if (length * int64_t(sizeof(T)) >= 64) {
    memcpy(to, from, size_t(length) * sizeof(T));
  } else {
    for (int64_t i = 0; i < length; ++i) to[i] = from[i];
  }
}

template <class T>
void copy_segment(int64_t length, T* to, int64_t to_stride, const T* from, int64_t from_stride) {
  if (to_stride == 1 && from_stride == 1) {
    copy_row(length, to, from);
  } else if (to_stride == 1 && from_stride == 0) {
    const T value = *from;
    for (int64_t i = 0; i < length; ++i) to[i] = value;
  } else if (to_stride == 1 && from_stride == -1) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < length; ++i) to[i] = from[-i];
  } else {
    SN_INDEPENDENT
    for (int64_t i = 0; i < length; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// to[walk] = from[walk] over n elements, in the order of the walk.
template <class T>
__global__ void strided_copy_kernel(int64_t n, Walk walk, T* to, const T* from) {
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      const WalkOffsets offsets = walk_offsets(walk, walk.axes, i);
      to[offsets.to] = from[offsets.from];
    }
  } else {
    const int inner = walk.axes - 1;
    const int64_t row = walk.sizes[inner], to_stride = walk.to[inner], from_stride = walk.from[inner];
    RowCursor cursor(walk, range.begin / row);
    for (int64_t i = range.begin; i < range.end; cursor.next(walk)) {
      const int64_t start = i % row;
      const int64_t length = row - start < range.end - i ? row - start : range.end - i;
      copy_segment(length, to + cursor.at.to + start * to_stride, to_stride,
                   from + cursor.at.from + start * from_stride, from_stride);
      i += length;
    }
  }
}

// A transpose: the writer runs along the rows' axis `column` of the tile, the reader along its axis `row`; what is left
// of the walk are batches of such planes.
struct Transpose {
  Walk batch;
  int64_t rows, columns;  // the output's: rows are contiguous for the reader, columns for the writer
  int64_t row_to, column_from;
};

// A tile's side on the GPU; on the CPU a tile is one cache line of output wide and kTransposeRows high.
inline constexpr int64_t kTransposeRows = kManyThreads ? 32 : 128;
template <class T>
inline constexpr int64_t kTransposeColumns = kManyThreads ? 32 : 64 / int64_t(sizeof(T));

// Riffles arrays until one is left: element k of array i ends at k * kArrays + i, which is a transpose, in
// log2(kArrays) passes of plain vector shuffles. The first half of the arrays lies at `low`, `stride` apart, the other
// half at `high`. Returns which of the two buffers holds the result.
template <class T, int64_t kArrays, int64_t kLength>
const T* riffle(T* to, T* spare, const T* low, const T* high, int64_t stride) {
  if constexpr (kArrays == 1) {
    return low;
  } else {
    for (int64_t i = 0; i < kArrays / 2; ++i) {
      T* const pair = to + 2 * i * kLength;
      const T *const a = low + i * stride, *const b = high + i * stride;
      SN_INDEPENDENT
      for (int64_t k = 0; k < kLength; ++k) {
        pair[2 * k] = a[k];
        pair[2 * k + 1] = b[k];
      }
    }
    const T* const done = to;
    return riffle<T, kArrays / 2, 2 * kLength>(spare, to, done, done + kArrays / 4 * 2 * kLength, 2 * kLength);
  }
}

// Read one cache line at a time and written one at a time: neither side depends on the cache keeping lines whose
// addresses lie a power of two apart.
template <class T>
void transpose_tile(const Transpose& t, int64_t rows, int64_t columns, T* to, const T* from, bool past_cache) {
  constexpr int64_t kColumns = kTransposeColumns<T>;
  if (rows < kTransposeRows || columns < kColumns) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[r * t.row_to + c] = from[c * t.column_from + r];
    }
    return;
  }
  alignas(64) T buffers[2][kColumns * kTransposeRows];
  const T* const high = from + kColumns / 2 * t.column_from;
  const T* const lines = riffle<T, kColumns, kTransposeRows>(buffers[0], buffers[1], from, high, t.column_from);
  for (int64_t r = 0; r < kTransposeRows; ++r) {
    if (past_cache) {
      stream_copy(to + r * t.row_to, lines + r * kColumns, 64);
    } else {
      memcpy(to + r * t.row_to, lines + r * kColumns, 64);
    }
  }
}

// Every tile starts at a cache line of the output.
template <class T>
SN_DEVICE bool writes_whole_lines(const Transpose& t, const T* to) {
  constexpr int64_t kLine = 64 / int64_t(sizeof(T));
  bool whole = reinterpret_cast<uintptr_t>(to) % 64 == 0 && t.row_to % kLine == 0;
  for (int axis = 0; axis < t.batch.axes; ++axis) whole = whole && t.batch.to[axis] % kLine == 0;
  return whole;
}

// Groups are tiles of all planes.
template <class T>
__global__ void transpose_kernel(int64_t tiles, int64_t n, Transpose t, T* to, const T* from) {
  constexpr int64_t kRows = kTransposeRows, kColumns = kTransposeColumns<T>;
  const int64_t tile_rows = (t.rows + kRows - 1) / kRows, tile_columns = (t.columns + kColumns - 1) / kColumns;
  const bool past_cache = kStreams && n * int64_t(sizeof(T)) >= stream_threshold && writes_whole_lines(t, to);
  const Range range = group_range(tiles);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t plane = group / (tile_rows * tile_columns), tile_index = group - plane * tile_rows * tile_columns;
    const int64_t first_row = tile_index / tile_columns * kRows, first_column = tile_index % tile_columns * kColumns;
    const WalkOffsets base = walk_offsets(t.batch, t.batch.axes, plane);
    T* const out = to + base.to + first_row * t.row_to + first_column;
    const T* const in = from + base.from + first_column * t.column_from + first_row;
    const int64_t rows = t.rows - first_row < kRows ? t.rows - first_row : kRows;
    const int64_t columns = t.columns - first_column < kColumns ? t.columns - first_column : kColumns;
    if constexpr (kManyThreads) {
      // One column more than the tile has: a column's elements then lie in different banks.
      SN_SHARED(T, tile, kRows * (kColumns + 1));
      const Range cells = block_range(kRows * kColumns);
      for (int64_t i = cells.begin; i < cells.end; i += cells.step) {
        const int64_t r = i % kRows, c = i / kRows;
        if (r < rows && c < columns) tile[r * (kColumns + 1) + c] = in[c * t.column_from + r];
      }
      sync_threads();
      for (int64_t i = cells.begin; i < cells.end; i += cells.step) {
        const int64_t r = i / kColumns, c = i % kColumns;
        if (r < rows && c < columns) out[r * t.row_to + c] = tile[r * (kColumns + 1) + c];
      }
      sync_threads();
    } else {
      transpose_tile(t, rows, columns, out, in, past_cache);
    }
  }
  if constexpr (!kManyThreads) {
    if (past_cache) stream_fence();
  }
}

// pad: the output's merged axes, where the input starts on each and how long it is there.
struct Padding {
  int axes = 0;
  int64_t sizes[kMaxWalkAxes] = {};
  int64_t before[kMaxWalkAxes] = {};
  int64_t inside[kMaxWalkAxes] = {};
};

// Offset into the input of output element `index` of the first `axes` axes, or -1 in the margin.
SN_DEVICE int64_t inside_offset(const Padding& padding, int axes, int64_t index) {
  int64_t offset = 0, step = 1;
  bool margin = false;
  for (int axis = axes - 1; axis >= 0; --axis) {
    const int64_t rest = quotient(index, padding.sizes[axis]);
    const int64_t position = index - rest * padding.sizes[axis] - padding.before[axis];
    margin = margin || position < 0 || position >= padding.inside[axis];
    offset += position * step;
    step *= padding.inside[axis];
    index = rest;
  }
  return margin ? -1 : offset;
}

template <class T>
__global__ void pad_kernel(int64_t n, Padding padding, T value, T* output, const T* input) {
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      const int64_t offset = inside_offset(padding, padding.axes, i);
      output[i] = offset < 0 ? value : input[offset];
    }
  } else {
    const int inner = padding.axes - 1;
    const int64_t row = padding.sizes[inner], left = padding.before[inner], length = padding.inside[inner];
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t index = i / row, begin = i - index * row;
      const int64_t end = row - begin < range.end - i ? row : begin + range.end - i;
      const int64_t source = inside_offset(padding, inner, index);
      // [begin, end) of this row is margin, input, margin.
      const int64_t copy_begin = source < 0 || left < begin ? begin : left < end ? left : end;
      const int64_t input_end = source < 0 ? begin : left + length;
      const int64_t copy_end = input_end < copy_begin ? copy_begin : input_end < end ? input_end : end;
      T* const out = output + index * row;
      for (int64_t k = begin; k < copy_begin; ++k) out[k] = value;
      if (copy_end > copy_begin)
        copy_row(copy_end - copy_begin, out + copy_begin, input + source * length + copy_begin - left);
      for (int64_t k = copy_end; k < end; ++k) out[k] = value;
      i += end - begin;
    }
  }
}

}  // namespace selfnorm::SN_BUILD
