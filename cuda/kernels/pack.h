// Elementwise loops over 16-byte packs on the GPU (and in the emulator), over single elements on the CPU, where the
// compiler makes the vectors itself. The tail that fills no pack is handled here, once for every kernel.
#pragma once

#include "range.h"
#include "storage.h"

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

// output[i] = f(inputs[i]...) for this thread's share of n elements. f takes and returns accumulate types. An input may
// be the output itself: every element is read before it is written.
template <int Width, class F, class Out, class... In>
SN_DEVICE void map_elements(int64_t n, const F f, Out* output, const In*... inputs) {
  if constexpr (Width > 1) {
    const Range packs = grid_range(n / Width);
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      Pack<Out, Width> result;
      map_pack(f, result, load_pack<Width>(inputs + p * Width)...);
      store_pack(output + p * Width, result);
    }
    const int64_t done = n / Width * Width;
    const Range tail = grid_range(n - done);
    for (int64_t i = done + tail.begin; i < n; i += tail.step) output[i] = store<Out>(f(load(inputs[i])...));
  } else {
    const Range range = grid_range(n);
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) output[i] = store<Out>(f(load(inputs[i])...));
  }
}

}  // namespace selfnorm::SN_BUILD
