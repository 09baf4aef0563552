// Elementwise loops over 16-byte packs on the GPU (and in the emulator), over single elements on the CPU, where the
// compiler makes the vectors itself. The tail that fills no pack is handled here, once for every kernel.
#pragma once

#include "range.h"
#include "storage.h"
#include "stream_store.h"

namespace selfnorm::SN_BUILD {

template <class T, int Width>
struct alignas(sizeof(T) * Width) Pack {
  T values[Width];
};

inline constexpr int widest(int a) { return a; }
template <class... Rest>
constexpr int widest(int a, Rest... rest) {
  return a > widest(rest...) ? a : widest(rest...);
}

// Elements a pack holds so that the widest of the given types fills 16 bytes; 1 on the CPU.
template <class... Ts>
inline constexpr int kPackWidth = kManyThreads ? 16 / widest(int(sizeof(Ts))...) : 1;

// On the host packs move by memcpy: a pointer cast would break its aliasing rules. nvcc has no such rules and needs the
// cast, or it would load byte by byte; the launcher has checked the alignment.
template <int Width, class T>
SN_DEVICE Pack<T, Width> load_pack(const T* from) {
#if SN_GPU
  return *reinterpret_cast<const Pack<T, Width>*>(from);
#else
  Pack<T, Width> pack;
  memcpy(&pack, from, sizeof(pack));
  return pack;
#endif
}
template <int Width, class T>
SN_DEVICE void store_pack(T* to, const Pack<T, Width>& pack) {
#if SN_GPU
  *reinterpret_cast<Pack<T, Width>*>(to) = pack;
#else
  memcpy(to, &pack, sizeof(pack));
#endif
}

template <int Width, class F, class Out, class... In>
SN_DEVICE void map_pack(const F& f, Pack<Out, Width>& result, const Pack<In, Width>&... packs) {
  SN_UNROLL
  for (int lane = 0; lane < Width; ++lane) result.values[lane] = store<Out>(f(load(packs.values[lane])...));
}

// The elements of a range, one by one.
template <class F, class Out, class... In>
SN_DEVICE void map_range(const Range& range, const F& f, Out* output, const In*... inputs) {
  SN_INDEPENDENT
  for (int64_t i = range.begin; i < range.end; i += range.step) output[i] = store<Out>(f(load(inputs[i])...));
}

// On the CPU a large result is made tile by tile in the first-level cache and streamed to memory. f comes by value: a
// copy of its own cannot alias what the loop stores, so the loop becomes vectors.
template <class F, class Out, class... In>
void map_streamed(const Range& range, const F f, Out* output, const In*... inputs) {
  constexpr int64_t kTile = kStreamTile / int64_t(sizeof(Out));
  alignas(64) Out tile[kTile];
  int64_t i = range.begin;
  for (; i + kTile <= range.end; i += kTile) {
    SN_INDEPENDENT
    for (int64_t k = 0; k < kTile; ++k) tile[k] = store<Out>(f(load(inputs[i + k])...));
    stream_copy(output + i, tile, kStreamTile);
  }
  stream_fence();
  Range rest = range;
  rest.begin = i;
  map_range(rest, f, output, inputs...);
}

// In place the line is in the cache anyway; off the 64-byte grid it cannot be streamed.
template <class Out, class... In>
bool streams(int64_t n, const Out* output, const In*... inputs) {
  return kStreams && n * int64_t(sizeof(Out)) >= stream_threshold && reinterpret_cast<uintptr_t>(output) % 64 == 0 &&
         ((static_cast<const void*>(inputs) != output) && ...);
}

// Packs of each input that a thread reads before it uses one. 32 bytes a thread in flight hide the latency of an H200's
// memory at full occupancy; two inputs make that with a pack each.
template <class... In>
inline constexpr int kPacksInFlight = sizeof...(In) == 1 ? 2 : 1;

template <int Width, class F, class Out, class... In>
SN_DEVICE void map_packs(int64_t packs, const F& f, Out* output, const In*... inputs) {
  const Range range = grid_range(packs);
  for (int64_t p = range.begin; p < range.end; p += range.step) {
    Pack<Out, Width> result;
    map_pack(f, result, load_pack<Width>(inputs + p * Width)...);
    store_pack(output + p * Width, result);
  }
}

template <int Width, class F, class Out, class In>
SN_DEVICE void map_pairs_of_packs(int64_t packs, const F& f, Out* output, const In* input) {
  const Range range = grid_range(packs);
  for (int64_t p = range.begin; p < range.end; p += 2 * range.step) {
    const int64_t q = p + range.step;
    const bool both = q < range.end;
    const Pack<In, Width> first = load_pack<Width>(input + p * Width);
    const Pack<In, Width> second = load_pack<Width>(input + (both ? q : p) * Width);
    Pack<Out, Width> result;
    map_pack(f, result, first);
    store_pack(output + p * Width, result);
    map_pack(f, result, second);
    if (both) store_pack(output + q * Width, result);
  }
}

// output[i] = f(inputs[i]...) for this thread's share of n elements. f takes and returns accumulate types. An input may
// be the output itself: every element is read before it is written. The first `packs` packs are moved whole, the rest
// element by element: 0 where a pointer is not aligned.
template <int Width, class F, class Out, class... In>
SN_DEVICE void map_elements(int64_t n, int64_t packs, const F f, Out* output, const In*... inputs) {
  if constexpr (kManyThreads) {
    if constexpr (kPacksInFlight<In...> == 2) {
      map_pairs_of_packs<Width>(packs, f, output, inputs...);
    } else {
      map_packs<Width>(packs, f, output, inputs...);
    }
    const int64_t done = packs * Width;
    map_range(grid_range(n - done), f, output + done, (inputs + done)...);
  } else {
    const Range range = grid_range(n);
    if (streams(n, output, inputs...)) {
      map_streamed(range, f, output, inputs...);
    } else {
      map_range(range, f, output, inputs...);
    }
  }
}

}  // namespace selfnorm::SN_BUILD
