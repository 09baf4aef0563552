// A batch in one pass: rows picked by index from a data set that stays in a compact type, scaled, shifted and stored as
// floats. Rescale (elementwise.h) is what the op without a gather computes by, so either way gives the same bits.
#pragma once

#include "data_movement.cuh"
#include "elementwise.h"
#include "pack.h"

namespace selfnorm::SN_BUILD {

// `length` rows of `inner` elements each.
struct Rows {
  int64_t length, inner;
};

// Where output element i comes from; -1: its index is outside the data.
SN_DEVICE int64_t picked_from(const Rows& rows, const int32_t* indices, int64_t i) {
  const int64_t row = quotient(i, rows.inner), index = indices[row];
  return index >= 0 && index < rows.length ? index * rows.inner + i - row * rows.inner : -1;
}

template <int Width, class Out, class In>
SN_DEVICE Pack<In, Width> load_picked(const In* input, int64_t source) {
  if (source < 0) return {};
  return load_pack<Width>(input + source);
}
template <int Width, class Out, class In>
SN_DEVICE void store_picked(Out* to, const Pack<In, Width>& pack, int64_t source, const Rescale& f, Out outside) {
  Pack<Out, Width> result;
  map_pack(f, result, pack);
  SN_UNROLL
  for (int lane = 0; lane < Width; ++lane) {
    if (source < 0) result.values[lane] = outside;
  }
  store_pack(to, result);
}

// output[k, i] = f(input[indices[k], i]), or `outside` where there is no such row. Rows are whole packs where `packs`
// is not 0, and all n elements lie in them. Two packs a thread are under way at a time: most of the traffic are stores.
template <int Width, class Out, class In>
__global__ void gather_rescaled_kernel(int64_t n, int64_t packs, Rows rows, Rescale f, Out outside, Out* output,
                                       const In* input, const int32_t* indices) {
  if constexpr (kManyThreads) {
    const Range range = grid_range(packs);
    for (int64_t p = range.begin; p < range.end; p += 2 * range.step) {
      const bool both = p + range.step < range.end;
      const int64_t q = both ? p + range.step : p;
      const int64_t first_source = picked_from(rows, indices, p * Width);
      const int64_t second_source = picked_from(rows, indices, q * Width);
      const Pack<In, Width> first = load_picked<Width, Out>(input, first_source);
      const Pack<In, Width> second = load_picked<Width, Out>(input, second_source);
      store_picked<Width>(output + p * Width, first, first_source, f, outside);
      if (both) store_picked<Width>(output + q * Width, second, second_source, f, outside);
    }
    const Range single = grid_range(packs == 0 ? n : 0);
    for (int64_t i = single.begin; i < single.end; i += single.step) {
      const int64_t source = picked_from(rows, indices, i);
      output[i] = source < 0 ? outside : store<Out>(f(load(input[source])));
    }
  } else {
    const Range range = grid_range(n);
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t begin = i % rows.inner, source = picked_from(rows, indices, i);
      const int64_t length = rows.inner - begin < range.end - i ? rows.inner - begin : range.end - i;
      if (source < 0) {
        for (int64_t k = 0; k < length; ++k) output[i + k] = outside;
      } else {
        map_range(Range{0, length}, Rescale(f), output + i, input + source);
      }
      i += length;
    }
  }
}

}  // namespace selfnorm::SN_BUILD
