// Where the memory of a Program's own tensors lies: pieces whose lifetimes do not meet may share a place.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace selfnorm {

// A piece of memory in use from step `first` to step `last`, both included.
struct Lifetime {
  size_t bytes;
  size_t first, last;
};

struct ArenaPlan {
  std::vector<size_t> offsets;  // of each lifetime, in order
  size_t bytes = 0;             // of the whole arena
  size_t live = 0;              // the most bytes in use at one step: no plan can do with less
};

// Offsets are multiples of `alignment`, a power of two. Pieces that share a step never overlap.
ArenaPlan plan_arena(std::span<const Lifetime> lifetimes, size_t alignment);

}  // namespace selfnorm
