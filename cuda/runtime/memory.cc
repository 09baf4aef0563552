#include "memory.h"

#include <algorithm>
#include <bit>

#include "status.h"

namespace selfnorm {
namespace {

// Multiples of 512 bytes up to 2 KiB, then classes at most 25% and at most 32 MiB apart.
size_t rounded(size_t bytes) {
  constexpr size_t kSmallest = 512, kWidestStep = size_t(32) << 20;
  if (bytes <= 4 * kSmallest) return std::max(kSmallest, (bytes + kSmallest - 1) / kSmallest * kSmallest);
  const size_t step = std::min(std::bit_floor(bytes - 1) / 4, kWidestStep);
  return (bytes + step - 1) / step * step;
}

std::string gibibytes(double bytes) {
  char text[32];
  snprintf(text, sizeof text, "%.2f GiB", bytes / (1 << 30));
  return text;
}

// The allocators of all queues of the process, so that one in need can empty the others' caches.
struct Registry {
  std::mutex mutex;
  std::vector<std::pair<int, DeviceMemory*>> entries;
};

Registry& registry() {
  // Never destroyed: a queue may close after the static objects of the process.
  static Registry& all = *new Registry;
  return all;
}

void release_caches_of(int device) noexcept {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (const auto& [owner, memory] : all.entries) {
    if (owner == device) memory->release_cache();
  }
}

}  // namespace

DeviceMemory::DeviceMemory(int device) : device_(device) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.entries.emplace_back(device, this);
}

DeviceMemory::~DeviceMemory() {
  {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.entries, [this](const auto& entry) { return entry.second == this; });
  }
  release_cache();
}

void* DeviceMemory::take_cached(size_t size) {
  const std::lock_guard lock(mutex_);
  const auto found = free_.find(size);
  if (found == free_.end() || found->second.empty()) return nullptr;
  void* const block = found->second.back();
  found->second.pop_back();
  stats_.cached -= int64_t(size);
  return block;
}

void* DeviceMemory::take_fresh(size_t size) {
  {
    const std::lock_guard lock(mutex_);
    if (size > limit_ || size_t(stats_.in_use + stats_.cached) > limit_ - size) return nullptr;
  }
  use_device(device_);
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, size);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check_cuda(status, "cudaMalloc");
  return block;
}

void* DeviceMemory::allocate(size_t bytes) {
  const size_t size = bytes > SIZE_MAX / 2 ? bytes : rounded(bytes);
  const bool fails = [&] {
    const std::lock_guard lock(mutex_);
    return faults_.next();
  }();
  void* block = fails ? nullptr : take_cached(size);
  if (block == nullptr && !fails) block = take_fresh(size);
  if (block == nullptr && !fails) {
    release_caches_of(device_);
    block = take_fresh(size);
  }
  if (block == nullptr) {
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw Error("ERR_OUT_OF_MEMORY",
                "out of memory: asked " + gibibytes(double(bytes)) + ", in use " + gibibytes(double(stats().in_use)) +
                    ", free " + gibibytes(double(std::min(free, limit_))) + " of " +
                    gibibytes(double(std::min(total, limit_))) + "; lower the batch size or dispose tensors");
  }
  const std::lock_guard lock(mutex_);
  stats_.in_use += int64_t(size);
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  return block;
}

void DeviceMemory::set_limit(size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    limit_ = bytes;
    if (size_t(stats_.in_use + stats_.cached) <= limit_) return;
  }
  release_cache();
}

void DeviceMemory::release(void* block, size_t bytes) noexcept {
  const size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  stats_.in_use -= int64_t(size);
  try {
    free_[size].push_back(block);
    stats_.cached += int64_t(size);
  } catch (const std::bad_alloc&) {
    cudaFree(block);
  }
}

void DeviceMemory::release_cache() noexcept {
  const std::lock_guard lock(mutex_);
  if (stats_.cached == 0) return;
  try {
    use_device(device_);
  } catch (const Error&) {
    return;
  }
  // A cached block may still be in use by queued work; where waiting fails, nothing may be freed.
  if (cudaDeviceSynchronize() != cudaSuccess) {
    cudaGetLastError();
    return;
  }
  for (auto& [size, blocks] : free_) {
    for (void* block : blocks) cudaFree(block);
    blocks.clear();
  }
  stats_.cached = 0;
  cudaGetLastError();
}

int64_t DeviceMemory::fail_allocations(int64_t first, int64_t count) {
  const std::lock_guard lock(mutex_);
  return faults_.arm(first, count);
}

MemoryStats DeviceMemory::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace selfnorm
