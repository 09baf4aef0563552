// The one loop of every random op: output[i] = f(bits of element i, inputs[i]...). Element i owns a fixed slice of the
// Philox stream, so results depend on the stamp and the index alone: not on the device, the launch or the other
// elements.
#pragma once

#include <bit>

#include "pack.h"
#include "philox.h"

namespace selfnorm::SN_BUILD {

// Elements that share one Philox call, each taking a `Bits` (uint16_t, uint32_t, uint64_t) of its 128 bits.
template <class Bits>
inline constexpr int kDraws = 16 / int(sizeof(Bits));

template <class Bits>
SN_HD Bits draw_from(const RandomWords& words, int lane) {
  if constexpr (sizeof(Bits) == 8) {
    return Bits(words.word[2 * lane]) | Bits(words.word[2 * lane + 1]) << 32;
  } else {
    constexpr int kPerWord = 4 / int(sizeof(Bits));
    return Bits(words.word[lane / kPerWord] >> (lane % kPerWord * 8 * int(sizeof(Bits))));
  }
}

// The elements of one Philox call, moved in packs of Width.
template <int Count, int Width, class T>
SN_DEVICE Pack<T, Count> load_group(const T* from) {
  Pack<T, Count> group;
  SN_UNROLL
  for (int first = 0; first < Count; first += Width) {
    const auto pack = load_pack<Width>(from + first);
    SN_UNROLL
    for (int lane = 0; lane < Width; ++lane) group.values[first + lane] = pack.values[lane];
  }
  return group;
}
template <int Width, int Count, class T>
SN_DEVICE void store_group(T* to, const Pack<T, Count>& group) {
  SN_UNROLL
  for (int first = 0; first < Count; first += Width) {
    Pack<T, Width> pack;
    SN_UNROLL
    for (int lane = 0; lane < Width; ++lane) pack.values[lane] = group.values[first + lane];
    store_pack(to + first, pack);
  }
}

template <class Bits, class F, class Out, class... In>
SN_DEVICE Pack<Out, kDraws<Bits>> map_group(const F& f, const RandomWords& words,
                                            const Pack<In, kDraws<Bits>>&... groups) {
  Pack<Out, kDraws<Bits>> result;
  SN_UNROLL
  for (int lane = 0; lane < kDraws<Bits>; ++lane) {
    result.values[lane] = store<Out>(f(draw_from<Bits>(words, lane), load(groups.values[lane])...));
  }
  return result;
}

// GPU and emulator: a thread takes whole Philox calls; the elements that fill none are handled one by one.
template <class Bits, int Width, class F, class Out, class... In>
SN_DEVICE void random_map_groups(int64_t n, const RandomStamp& stamp, const F& f, Out* output, const In*... inputs) {
  constexpr int kCount = kDraws<Bits>;
  const Range groups = grid_range(n / kCount);
  for (int64_t g = groups.begin; g < groups.end; g += groups.step) {
    const int64_t i = g * kCount;
    store_group<Width>(output + i, map_group<Bits, F, Out, In...>(f, philox(stamp, uint64_t(g)),
                                                                  load_group<kCount, Width>(inputs + i)...));
  }
  const int64_t done = n / kCount * kCount;
  const Range tail = grid_range(n - done);
  for (int64_t k = tail.begin; k < n - done; k += tail.step) {
    const RandomWords words = philox(stamp, uint64_t(done / kCount));
    output[done + k] = store<Out>(f(draw_from<Bits>(words, int(k)), load(inputs[done + k])...));
  }
}

// CPU: Philox over a tile of calls first, vectorised across them, then the map over the tile's elements.
inline constexpr int64_t kTileGroups = 128;

template <class Bits, class F, class Out, class... In>
void map_tile(const F& functor, int64_t count, const Bits* bits, Out* output, const In*... inputs) {
  const F f = functor;  // a local copy cannot alias the output
  SN_INDEPENDENT
  for (int64_t k = 0; k < count; ++k) output[k] = store<Out>(f(bits[k], load(inputs[k])...));
}

template <class Bits, class F, class Out, class... In>
void random_map_tiles(const Range& groups, int64_t n, const RandomStamp& stamp, const F& f, Out* output,
                      const In*... inputs) {
  static_assert(std::endian::native == std::endian::little, "draw_from's order is the order of bytes in memory");
  constexpr int64_t kCount = kDraws<Bits>, kTile = kTileGroups * kCount;
  alignas(64) RandomWords words[kTileGroups];
  alignas(64) Bits bits[kTile];
  alignas(64) Out results[kTile];
  const bool streamed = streams(n, output, inputs...);
  for (int64_t first = groups.begin; first < groups.end; first += kTileGroups) {
    const int64_t calls = groups.end - first < kTileGroups ? groups.end - first : kTileGroups;
    SN_INDEPENDENT
    for (int64_t g = 0; g < calls; ++g) words[g] = philox(stamp, uint64_t(first + g));
    memcpy(bits, words, sizeof(bits));
    const int64_t i = first * kCount, count = n - i < calls * kCount ? n - i : calls * kCount;
    if (streamed && count == kTile) {
      map_tile(f, kTile, bits, results, inputs + i...);
      stream_copy(output + i, results, int64_t(sizeof(results)));
    } else {
      map_tile(f, count, bits, output + i, inputs + i...);
    }
  }
  if (streamed) stream_fence();
}

// Width: elements of a pack, at most kDraws<Bits>; 1 where pointers are not aligned. An input may be the output.
template <class Bits, int Width, class F, class Out, class... In>
__global__ void random_map_kernel(int64_t n, const RandomStamp* stamp, F f, Out* output, const In*... inputs) {
  if constexpr (kManyThreads) {
    random_map_groups<Bits, Width>(n, *stamp, f, output, inputs...);
  } else {
    constexpr int kCount = kDraws<Bits>;
    random_map_tiles<Bits>(grid_range((n + kCount - 1) / kCount), n, *stamp, f, output, inputs...);
  }
}

}  // namespace selfnorm::SN_BUILD
