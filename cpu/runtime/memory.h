// The CPU backend's caching allocator: freed blocks are kept by size class and handed out again, because at tensor
// sizes the page faults of fresh memory cost more than the arithmetic. One per process, used by every JS thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "../../cuda/ops/allocation_faults.h"

namespace selfnorm {

struct MemoryStats {
  int64_t in_use = 0;
  int64_t cached = 0;
  int64_t peak = 0;
};

class Memory {
 public:
  // Never destroyed: tensors of other threads may outlive static destruction.
  static Memory& instance();

  // 64-byte aligned; throws Error ERR_OUT_OF_MEMORY after the cache was released and a second try failed.
  void* allocate(size_t bytes);
  void release(void* block, size_t bytes) noexcept;
  void release_cache() noexcept;
  // The most bytes that may be in use or cached from now on; SIZE_MAX: what the system has.
  void set_limit(size_t bytes);
  // For tests; see AllocationFaults.
  int64_t fail_allocations(int64_t first, int64_t count);
  MemoryStats stats();

  // Bytes a request of this size takes from the system: size classes are at most 25% apart.
  static size_t rounded(size_t bytes);

 private:
  void* take_cached(size_t size);
  void* take_fresh(size_t size);
  void drop_cache() noexcept;
  size_t most() const;

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  MemoryStats stats_;
  size_t limit_ = SIZE_MAX;
  AllocationFaults faults_;
};

}  // namespace selfnorm
