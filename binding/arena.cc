#include "arena.h"

#include <algorithm>
#include <numeric>

namespace selfnorm {
namespace {

size_t live_bytes(std::span<const Lifetime> lifetimes) {
  size_t steps = 0;
  for (const Lifetime& piece : lifetimes) steps = std::max(steps, piece.last + 2);
  // Changes between one step and the next; a sum that wraps around below zero comes back.
  std::vector<size_t> change(steps, 0);
  for (const Lifetime& piece : lifetimes) {
    change[piece.first] += piece.bytes;
    change[piece.last + 1] -= piece.bytes;
  }
  size_t live = 0, most = 0;
  for (const size_t bytes : change) most = std::max(most, live += bytes);
  return most;
}

}  // namespace

// The largest piece first, each at the lowest place that is free during its life: what is large is placed while there
// is room to choose, and what is small fills the gaps.
ArenaPlan plan_arena(std::span<const Lifetime> lifetimes, size_t alignment) {
  const auto rounded = [&](size_t bytes) { return (bytes + alignment - 1) & ~(alignment - 1); };
  ArenaPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  plan.live = live_bytes(lifetimes);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  std::vector<size_t> placed;  // by offset
  for (const size_t index : order) {
    const Lifetime& piece = lifetimes[index];
    size_t offset = 0;
    for (const size_t other : placed) {
      const Lifetime& there = lifetimes[other];
      if (there.last < piece.first || piece.last < there.first) continue;
      if (plan.offsets[other] >= offset + rounded(piece.bytes)) break;
      offset = std::max(offset, plan.offsets[other] + rounded(there.bytes));
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + rounded(piece.bytes));
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset,
                                     [&](size_t value, size_t other) { return value < plan.offsets[other]; });
    placed.insert(at, index);
  }
  return plan;
}

}  // namespace selfnorm
