// Allocations that fail because a test wants them to: what a step does without memory is tried at every allocation that
// it makes. Part of each backend's allocator, which guards it by its mutex.
#pragma once

#include <cstdint>

namespace selfnorm {

class AllocationFaults {
 public:
  // Of the allocations from now on, number `first` (0: the next) and those behind it fail, `count` in all. Returns how
  // many there were since this was called last.
  int64_t arm(int64_t first, int64_t count) {
    const int64_t seen = seen_;
    seen_ = 0;
    first_ = first;
    count_ = count;
    return seen;
  }

  // Whether the allocation under way is to fail.
  bool next() {
    const int64_t number = seen_++;
    return number >= first_ && number - first_ < count_;
  }

 private:
  int64_t seen_ = 0, first_ = 0, count_ = 0;
};

}  // namespace selfnorm
