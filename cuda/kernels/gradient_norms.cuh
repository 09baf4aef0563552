// Squared norms of many gradients, for clipping: chunks first, then the chunks of each gradient. No atomics: the same
// gradients give the same bits. Squares are added in double, where none overflows that a float can hold.
#pragma once

#include "pack.h"
#include "parameter_table.h"
#include "reduce.h"

namespace selfnorm::SN_BUILD {

template <int Width, class T>
SN_DEVICE double sum_of_squares(const T* gradient, int64_t size) {
  double total = 0;
  if constexpr (kManyThreads) {
    const Range packs = block_range(size / Width);
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      const auto pack = load_pack<Width>(gradient + p * Width);
      SN_UNROLL
      for (int lane = 0; lane < Width; ++lane) {
        const auto value = double(load(pack.values[lane]));
        total += value * value;
      }
    }
    const int64_t done = size / Width * Width;
    const Range tail = block_range(size - done);
    for (int64_t i = tail.begin; i < tail.end; i += tail.step) {
      const auto value = double(load(gradient[done + i]));
      total += value * value;
    }
  } else {
    SN_SIMD_SUM(total)
    for (int64_t i = 0; i < size; ++i) {
      const auto value = double(load(gradient[i]));
      total += value * value;
    }
  }
  return block_sum(total);
}

template <int Width, class T>
__global__ void gradient_chunk_norms_kernel(ParameterTable<0> table, double* chunk_sums) {
  const Range chunks = group_range(table.chunks);
  int index = 0;
  for (int64_t chunk = chunks.begin; chunk < chunks.end; chunk += chunks.step) {
    find_row(table, chunk, index);
    const ParameterRow<0>& row = table.rows[index];
    const ParameterSpan span = span_of(row, chunk);
    const double sum = sum_of_squares<Width>(static_cast<const T*>(row.gradient) + span.begin, span.size);
    if (thread_index() == 0) chunk_sums[chunk] = sum;
  }
}

static __global__ void gradient_norms_kernel(ParameterTable<0> table, const double* chunk_sums, double* squared_norms) {
  const Range rows = group_range(table.count);
  for (int64_t r = rows.begin; r < rows.end; r += rows.step) {
    const int64_t first = table.rows[r].first_chunk;
    const int64_t end = r + 1 < table.count ? table.rows[r + 1].first_chunk : table.chunks;
    const Range range = block_range(end - first);
    double total = 0;
    for (int64_t i = range.begin; i < range.end; i += range.step) total += chunk_sums[first + i];
    total = block_sum(total);
    if (thread_index() == 0) squared_norms[r] = total;
  }
}

}  // namespace selfnorm::SN_BUILD
