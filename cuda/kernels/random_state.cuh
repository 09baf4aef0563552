// The generator's state in device memory. An op's stamp is taken from it on the device, so a replayed step draws fresh
// numbers and the host never reads them.
#pragma once

#include "philox.h"
#include "range.h"

namespace selfnorm::SN_BUILD {

// Takes a stamp and moves the state's offset on by one.
static __global__ void rng_next_kernel(RandomStamp* state, RandomStamp* stamp) {
  const Range once = grid_range(1);
  for (int64_t i = once.begin; i < once.end; i += once.step) {
    const RandomStamp now = *state;
    *stamp = now;
    state->offset_low = now.offset_low + 1u;
    state->offset_high = now.offset_high + (state->offset_low == 0u ? 1u : 0u);
  }
}

static __global__ void rng_stamp_kernel(RandomStamp value, RandomStamp* stamp) {
  const Range once = grid_range(1);
  for (int64_t i = once.begin; i < once.end; i += once.step) *stamp = value;
}

}  // namespace selfnorm::SN_BUILD
