// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a stateless generator. A draw is a
// function of (seed, offset, element group) alone, so the same seed gives the same numbers on every device and for
// every launch shape, and backward passes recompute dropout masks instead of storing them.
#pragma once

#include "portable.h"

namespace selfnorm::SN_BUILD {

// What a random op reads from device memory: written by `rng_next`, so that a replayed step draws fresh numbers.
struct RandomStamp {
  uint32_t seed_low, seed_high, offset_low, offset_high;
};

struct RandomWords {
  uint32_t word[4];
};

// 128 random bits for counter (group, offset) under the stamp's seed.
SN_HD RandomWords philox(const RandomStamp& stamp, uint64_t group) {
  uint32_t c0 = uint32_t(group), c1 = uint32_t(group >> 32), c2 = stamp.offset_low, c3 = stamp.offset_high;
  uint32_t k0 = stamp.seed_low, k1 = stamp.seed_high;
  SN_UNROLL
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
    const uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1);
    c3 = uint32_t(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// Uniform in (0, 1], 24 bits: log() of it is finite.
SN_HD float uniform_from(uint32_t word) { return float((word >> 8) + 1u) * (1.0f / 16777216.0f); }

}  // namespace selfnorm::SN_BUILD
