// The caching allocator of one queue. Blocks go back to the free list when their last use is queued, and are handed out
// again to work queued later on the same stream: stream order makes that safe without waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "../ops/allocation_faults.h"

namespace selfnorm {

struct MemoryStats {
  int64_t in_use = 0;
  int64_t cached = 0;
  int64_t peak = 0;
};

// One a queue: streams share no cached blocks, since the order between two streams is not known.
class DeviceMemory {
 public:
  explicit DeviceMemory(int device);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // 256-byte aligned. On failure the caches of every queue of the device are released and the allocation tried once
  // more; then ERR_OUT_OF_MEMORY.
  void* allocate(size_t bytes);
  void release(void* block, size_t bytes) noexcept;
  void release_cache() noexcept;
  // The most bytes that may be in use or cached from now on; SIZE_MAX: what the device has.
  void set_limit(size_t bytes);
  // For tests; see AllocationFaults.
  int64_t fail_allocations(int64_t first, int64_t count);
  MemoryStats stats();

 private:
  void* take_cached(size_t size);
  // cudaMalloc within the limit; null where there is no memory.
  void* take_fresh(size_t size);

  int device_;
  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  MemoryStats stats_;
  size_t limit_ = SIZE_MAX;
  AllocationFaults faults_;
};

}  // namespace selfnorm
