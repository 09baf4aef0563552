#include "memory.h"

#include <algorithm>
#include <bit>

#include "status.h"

namespace selfnorm {
namespace {

// Multiples of 512 bytes up to 2 KiB, then classes at most 25% apart.
size_t rounded(size_t bytes) {
  constexpr size_t kSmallest = 512;
  if (bytes <= 4 * kSmallest) return std::max(kSmallest, (bytes + kSmallest - 1) / kSmallest * kSmallest);
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

std::string gibibytes(double bytes) {
  char text[32];
  snprintf(text, sizeof text, "%.2f GiB", bytes / (1 << 30));
  return text;
}

}  // namespace

DeviceMemory::~DeviceMemory() { free_cached(); }

void DeviceMemory::free_cached() {
  for (auto& [size, blocks] : free_) {
    for (void* block : blocks) cudaFree(block);
    blocks.clear();
  }
  stats_.cached = 0;
}

void* DeviceMemory::allocate(size_t bytes) {
  const size_t size = bytes > SIZE_MAX / 2 ? bytes : rounded(bytes);
  std::lock_guard lock(mutex_);
  void* block = nullptr;
  if (const auto found = free_.find(size); found != free_.end() && !found->second.empty()) {
    block = found->second.back();
    found->second.pop_back();
    stats_.cached -= int64_t(size);
  } else {
    check_cuda(cudaSetDevice(device_), "cudaSetDevice");
    cudaError_t status = cudaMalloc(&block, size);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      free_cached();
      status = cudaMalloc(&block, size);
    }
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      size_t free = 0, total = 0;
      cudaMemGetInfo(&free, &total);
      throw Error("ERR_OUT_OF_MEMORY", "out of memory: asked " + gibibytes(double(bytes)) + ", in use " +
                                           gibibytes(double(stats_.in_use)) + ", free " + gibibytes(double(free)) +
                                           " of " + gibibytes(double(total)) +
                                           "; lower the batch size or dispose tensors");
    }
    check_cuda(status, "cudaMalloc");
  }
  stats_.in_use += int64_t(size);
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  return block;
}

void DeviceMemory::release(void* block, size_t bytes) noexcept {
  const size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  stats_.in_use -= int64_t(size);
  try {
    free_[size].push_back(block);
    stats_.cached += int64_t(size);
  } catch (const std::bad_alloc&) {
    cudaFree(block);
  }
}

void DeviceMemory::release_cache() noexcept {
  std::lock_guard lock(mutex_);
  free_cached();
}

MemoryStats DeviceMemory::stats() {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace selfnorm
