// Launches the random map kernel: y[i] = f(bits of element i, x0[i], ...), with packs where every pointer is aligned.
#pragma once

#include "../kernels/random_map.cuh"
#include "map.h"

namespace selfnorm::SN_BUILD {

// `cost` is the rough number of flops an element takes without Philox. `stamp` is an int32 tensor of 4.
template <class Bits, class F, class Out, class... In>
void launch_random_map(Queue& queue, int64_t n, int cost, const View& stamp, F f, Out* output, const In*... inputs) {
  constexpr int kPhiloxFlops = 64, kCount = kDraws<Bits>;
  constexpr int kWidth = kPackWidth<Out, In...> < kCount ? kPackWidth<Out, In...> : kCount;
  const Grid grid = elements((n + kCount - 1) / kCount, kPhiloxFlops + cost * kCount);
  const auto* const state = stamp.as<const RandomStamp>();
  if (kWidth > 1 && aligned_to_pack(output) && (aligned_to_pack(inputs) && ...)) {
    launch(queue, grid, random_map_kernel<Bits, kWidth, F, Out, In...>, n, state, f, output, inputs...);
  } else {
    launch(queue, grid, random_map_kernel<Bits, 1, F, Out, In...>, n, state, f, output, inputs...);
  }
}

}  // namespace selfnorm::SN_BUILD
