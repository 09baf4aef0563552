// Launches map kernels: y[i] = f(x0[i], x1[i], ...) with 16-byte packs where every pointer is aligned for them.
#pragma once

#include "../kernels/pack.h"
#include "dispatch.h"
#include "runtime/launch.h"

namespace selfnorm::SN_BUILD {

template <int Width, class F, class Out, class... In>
__global__ void map_kernel(int64_t n, int64_t packs, F f, Out* output, const In*... inputs) {
  map_elements<Width>(n, packs, f, output, inputs...);
}

inline bool aligned_to_pack(const void* pointer) { return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0; }

// `cost` is the rough number of flops an element takes: it decides when a second CPU thread pays.
template <class F, class Out, class... In>
void launch_map(Queue& queue, int64_t n, int cost, F f, Out* output, const In*... inputs) {
  constexpr int kWidth = kPackWidth<Out, In...>;
  const bool packed = kWidth > 1 && aligned_to_pack(output) && (aligned_to_pack(inputs) && ...);
  const Grid grid = packed ? elements(n, cost, kWidth * kPacksInFlight<In...>) : elements(n, cost);
  launch(queue, grid, map_kernel<kWidth, F, Out, In...>, n, packed ? n / kWidth : 0, f, output, inputs...);
}

}  // namespace selfnorm::SN_BUILD
