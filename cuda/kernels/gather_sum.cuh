// Sums of rows picked by index: a bag of words from a table of word vectors, without the picked rows in memory.
#pragma once

#include <limits>

#include "data_movement.cuh"
#include "pack.h"

namespace selfnorm::SN_BUILD {

// A table of `length` rows of `inner` elements, and bags of `picks` indices.
struct Bags {
  int64_t length, inner, picks;
};

// `Width` sums of neighbouring columns of a bag, in the order of its indices; NaN where one lies outside the table.
template <int Width, class T>
SN_DEVICE Pack<T, Width> bag_sum(const Bags& bags, const T* column, const int32_t* indices) {
  Accumulate<T> sums[Width] = {};
  SN_ROLLED
  for (int64_t k = 0; k < bags.picks; ++k) {
    const int64_t index = indices[k];
    if (index < 0 || index >= bags.length) {
      SN_UNROLL
      for (Accumulate<T>& sum : sums) sum = std::numeric_limits<Accumulate<T>>::quiet_NaN();
      continue;
    }
    const Pack<T, Width> pack = load_pack<Width>(column + index * bags.inner);
    SN_UNROLL
    for (int lane = 0; lane < Width; ++lane) sums[lane] += load(pack.values[lane]);
  }
  Pack<T, Width> result;
  SN_UNROLL
  for (int lane = 0; lane < Width; ++lane) result.values[lane] = store<T>(sums[lane]);
  return result;
}

// output[b, i] = sum over k of table[indices[b, k], i]; n elements in all, rows of whole packs.
template <int Width, class T>
__global__ void gather_sum_kernel(int64_t n, Bags bags, T* output, const T* table, const int32_t* indices) {
  if constexpr (kManyThreads) {
    const Range packs = grid_range(n / Width);
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      const int64_t i = p * Width, bag = quotient(i, bags.inner);
      store_pack(output + i, bag_sum<Width>(bags, table + i - bag * bags.inner, indices + bag * bags.picks));
    }
  } else {
    constexpr int64_t kTile = 256;
    Accumulate<T> sums[kTile];
    const Range range = grid_range(n);
    for (int64_t at = range.begin; at < range.end;) {
      const int64_t bag = at / bags.inner, column = at - bag * bags.inner;
      int64_t size = bags.inner - column < kTile ? bags.inner - column : kTile;
      if (size > range.end - at) size = range.end - at;
      for (int64_t i = 0; i < size; ++i) sums[i] = 0;
      const int32_t* const own = indices + bag * bags.picks;
      for (int64_t k = 0; k < bags.picks; ++k) {
        const int64_t index = own[k];
        if (index < 0 || index >= bags.length) {
          for (int64_t i = 0; i < size; ++i) sums[i] = std::numeric_limits<Accumulate<T>>::quiet_NaN();
          continue;
        }
        const T* const row = table + index * bags.inner + column;
        SN_INDEPENDENT
        for (int64_t i = 0; i < size; ++i) sums[i] += load(row[i]);
      }
      for (int64_t i = 0; i < size; ++i) output[at + i] = store<T>(sums[i]);
      at += size;
    }
  }
}

}  // namespace selfnorm::SN_BUILD
