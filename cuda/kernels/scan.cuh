// Cumulative sums of [outer, length, inner] over the middle axis. Long axes are cut into chunks of fixed length; the
// sums before each chunk are a scan of the chunks' totals, so every bit depends on the shape alone and not on the
// threads.
#pragma once

#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

inline constexpr int64_t kScanChunk = 256;
// Columns the CPU scans side by side, so that its loops vectorise; a GPU thread takes one.
inline constexpr int64_t kScanColumns = kManyThreads ? 1 : 64;

struct ScanShape {
  int64_t outer, length, inner;
  bool exclusive, reverse;

  SN_HD int64_t chunks() const { return chunks_of(length, kScanChunk); }
};

// Some neighbouring columns of one chunk. Positions count in the direction of the scan.
struct ScanColumns {
  int64_t begin, end;   // positions of the chunk
  int64_t first, step;  // element at position 0, and the way to the next
  int64_t width;
};

SN_DEVICE ScanColumns scan_columns(const ScanShape& shape, int64_t part, int64_t column, int64_t width) {
  const int64_t chunks = shape.chunks(), outer = part / chunks, begin = (part - outer * chunks) * kScanChunk;
  const int64_t end = shape.length - begin < kScanChunk ? shape.length : begin + kScanChunk;
  const int64_t start = shape.reverse ? shape.length - 1 : 0;
  return {begin, end, (outer * shape.length + start) * shape.inner + column, shape.reverse ? -shape.inner : shape.inner,
          width};
}

// Calls visit(columns, index of the first of them in [outer, chunks, inner]) for this thread's share of all columns.
template <class Visit>
SN_DEVICE void for_scan_columns(const ScanShape& shape, int64_t n, const Visit& visit) {
  const Range range = grid_range(n);
  for (int64_t i = range.begin; i < range.end;) {
    const int64_t part = i / shape.inner, column = i - part * shape.inner;
    int64_t width = shape.inner - column < kScanColumns ? shape.inner - column : kScanColumns;
    if (range.end - i < width) width = range.end - i;
    visit(scan_columns(shape, part, column, width), i);
    i += kManyThreads ? range.step : width;
  }
}

// totals[outer, chunk, inner] = the sum of each chunk.
template <class S, class In>
__global__ void scan_totals_kernel(int64_t n, ScanShape shape, S* totals, const In* input) {
  for_scan_columns(shape, n, [&](const ScanColumns& columns, int64_t index) {
    if (!kManyThreads && shape.inner == 1) {
      // The order of the terms is free here, so they are added upwards in memory whatever the direction.
      const int64_t count = columns.end - columns.begin;
      const In* const low = input + columns.first + (shape.reverse ? columns.end - 1 : columns.begin) * columns.step;
      S total(0);
      SN_SIMD_SUM(total)
      for (int64_t k = 0; k < count; ++k) total = SumFold{}(total, S(load(low[k])));
      totals[index] = total;
      return;
    }
    S running[kScanColumns] = {};
    for (int64_t position = columns.begin; position < columns.end; ++position) {
      const In* const row = input + columns.first + position * columns.step;
      SN_INDEPENDENT
      for (int64_t k = 0; k < columns.width; ++k) running[k] = SumFold{}(running[k], S(load(row[k])));
    }
    for (int64_t k = 0; k < columns.width; ++k) totals[index + k] = running[k];
  });
}

template <class Out, class S>
SN_DEVICE Out store_scanned(S value) {
  if constexpr (std::is_same_v<Out, int32_t>) {
    return int32_t(uint64_t(value));
  } else {
    return store<Out>(value);
  }
}

// output = the sums up to each element of its chunk, on top of `starts` (null: of zero).
template <class S, class In, class Out>
__global__ void scan_chunks_kernel(int64_t n, ScanShape shape, Out* output, const In* input, const S* starts) {
  for_scan_columns(shape, n, [&](const ScanColumns& columns, int64_t index) {
    if (!kManyThreads && columns.width == 1) {
      S sum = starts == nullptr ? S(0) : starts[index];
      for (int64_t position = columns.begin; position < columns.end; ++position) {
        const int64_t at = columns.first + position * columns.step;
        const S after = SumFold{}(sum, S(load(input[at])));
        output[at] = store_scanned<Out>(shape.exclusive ? sum : after);
        sum = after;
      }
      return;
    }
    S running[kScanColumns] = {};
    if (starts != nullptr) {
      for (int64_t k = 0; k < columns.width; ++k) running[k] = starts[index + k];
    }
    for (int64_t position = columns.begin; position < columns.end; ++position) {
      const int64_t at = columns.first + position * columns.step;
      SN_INDEPENDENT
      for (int64_t k = 0; k < columns.width; ++k) {
        const S after = SumFold{}(running[k], S(load(input[at + k])));
        output[at + k] = store_scanned<Out>(shape.exclusive ? running[k] : after);
        running[k] = after;
      }
    }
  });
}

}  // namespace selfnorm::SN_BUILD
