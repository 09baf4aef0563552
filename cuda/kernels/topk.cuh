// The k largest of every row, largest first; of equal values the lower position first, and NaN before every number.
// That is a strict order, so each way of computing it gives the same result.
#pragma once

#include <algorithm>

#include "data_movement.cuh"
#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

template <class A>
SN_DEVICE bool precedes(Indexed<A> a, Indexed<A> b) {
  return a.position != b.position && ArgFold<true>{}(a, b).position == a.position;
}

template <class T>
SN_DEVICE Indexed<Accumulate<T>> indexed(const T* row, int64_t position) {
  return {load(row[position]), int32_t(position)};
}

// One group a row, one round a pick: the first in order of those behind the pick before.
template <class T>
__global__ void topk_select_kernel(int64_t rows, int64_t length, int64_t k, T* values, int32_t* positions,
                                   const T* input) {
  using S = Indexed<Accumulate<T>>;
  const ArgFold<true> first;
  const Range groups = group_range(rows);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const T* const row = input + group * length;
    const Range range = block_range(length);
    S last = ArgFold<true>::identity<S>();
    for (int64_t pick = 0; pick < k; ++pick) {
      S best = ArgFold<true>::identity<S>();
      for (int64_t i = range.begin; i < range.end; i += range.step) {
        const S candidate = indexed(row, i);
        if (last.position < 0 || precedes(last, candidate)) best = first(best, candidate);
      }
      last = block_reduce(best, first);
      if (thread_index() == 0) {
        values[group * k + pick] = row[last.position];
        positions[group * k + pick] = last.position;
      }
    }
  }
}

// One pass of a merge sort of every row: sorted runs of `run` positions become runs of twice that. An element's place
// is the number of elements before it in its own run and, by binary search, in the other.
template <class T>
__global__ void topk_merge_kernel(int64_t n, int64_t length, int64_t run, int32_t* to, const int32_t* from,
                                  const T* input) {
  const Range range = grid_range(n);
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const int64_t row = quotient(i, length) * length, place = i - row;
    const int64_t start = quotient(place, 2 * run) * 2 * run;
    const int64_t middle = start + run < length ? start + run : length;
    const int64_t end = start + 2 * run < length ? start + 2 * run : length;
    const bool is_left = place < middle;
    const T* const values = input + row;
    // The first pass finds the positions as they are.
    const auto at = [&](int64_t p) { return indexed(values, from == nullptr ? p : int64_t(from[row + p])); };
    const auto own = at(place);
    int64_t low = is_left ? middle : start, high = is_left ? end : middle;
    const int64_t other = low;
    while (low < high) {
      const int64_t probe = low + (high - low) / 2;
      if (precedes(at(probe), own)) {
        low = probe + 1;
      } else {
        high = probe;
      }
    }
    to[row + place + (low - other) - (is_left ? 0 : middle - start)] = own.position;
  }
}

// The first k of every sorted row.
template <class T>
__global__ void topk_take_kernel(int64_t n, int64_t length, int64_t k, T* values, int32_t* positions,
                                 const int32_t* order, const T* input) {
  const Range range = grid_range(n);
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const int64_t row = quotient(i, k);
    const int32_t position = order[row * length + i - row * k];
    positions[i] = position;
    values[i] = input[row * length + position];
  }
}

#if !SN_GPU
// The CPU sorts a row's positions, `order`, as far as k.
template <class T>
void topk_sort_kernel(int64_t rows, int64_t length, int64_t k, T* values, int32_t* positions, int32_t* order,
                      const T* input) {
  const Range groups = group_range(rows);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const T* const row = input + group * length;
    int32_t* const own = order + group * length;
    for (int64_t i = 0; i < length; ++i) own[i] = int32_t(i);
    std::partial_sort(own, own + k, own + length,
                      [row](int32_t a, int32_t b) { return precedes(indexed(row, a), indexed(row, b)); });
    for (int64_t pick = 0; pick < k; ++pick) {
      positions[group * k + pick] = own[pick];
      values[group * k + pick] = row[own[pick]];
    }
  }
}
#endif

}  // namespace selfnorm::SN_BUILD
