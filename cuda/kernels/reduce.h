// Sums (and other folds) over the threads of a block. The order is a fixed tree, so results repeat bit for bit; with
// one thread a block it is the identity.
#pragma once

#include "range.h"

namespace selfnorm::SN_BUILD {

inline constexpr int kMaxBlock = 256;
inline constexpr int kWarp = 32;

// Folds `value` over the block with `fold` (associative); every thread gets the result. Any block size up to 1024,
// partial last warp included. Contains barriers: all threads of the block must call it.
template <class T, class Fold>
SN_DEVICE T block_reduce(T value, [[maybe_unused]] Fold fold) {
  if constexpr (!kManyThreads) {
    return value;
  } else {
#if SN_GPU || SN_EMULATOR
    const int thread = int(thread_index()), threads = int(thread_count());
    const int warp = thread / kWarp, lane = thread % kWarp, warps = (threads + kWarp - 1) / kWarp;
    const int lanes = threads - warp * kWarp < kWarp ? threads - warp * kWarp : kWarp;
    const unsigned mask = lanes == kWarp ? ~0u : (1u << lanes) - 1u;
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
      const T other = shuffle_down(mask, value, unsigned(offset));
      if (lane + offset < lanes) value = fold(value, other);
    }
    SN_SHARED(T, partials, kWarp);
    if (lane == 0) partials[warp] = value;
    sync_threads();
    if (thread == 0) {
      for (int w = 1; w < warps; ++w) value = fold(value, partials[w]);
      partials[0] = value;
    }
    sync_threads();
    value = partials[0];
    // The next reduction of this block writes `partials` again.
    sync_threads();
    return value;
#endif
  }
}

template <class T>
SN_DEVICE T block_sum(T value) {
  return block_reduce(value, [](T a, T b) { return a + b; });
}

}  // namespace selfnorm::SN_BUILD
