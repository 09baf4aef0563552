#include "memory.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#include <unistd.h>

#include "../../cuda/ops/op.h"

namespace selfnorm {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t(2) << 20;

std::string gibibytes(double bytes) {
  char text[32];
  snprintf(text, sizeof text, "%.2f GiB", bytes / (1 << 30));
  return text;
}

// What this process may use: physical memory, or the container's limit where that is lower. Linux would grant more and
// kill the process later.
size_t system_memory() {
  static const size_t limit = [] {
    size_t bytes = size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
    for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
      std::ifstream stream(file);
      size_t container = 0;
      if (stream >> container && container > 0) bytes = std::min(bytes, container);
    }
    return bytes;
  }();
  return limit;
}

// The number behind a name in a file of "name number" lines, as /proc/meminfo; `missing` if it is not there.
size_t number_in(const char* file, const std::string& name, size_t missing) {
  std::ifstream stream(file);
  std::string word;
  size_t value = 0;
  while (stream >> word) {
    if (word == name && stream >> value) return value;
  }
  return missing;
}

size_t only_number_in(const char* file, size_t missing) {
  std::ifstream stream(file);
  size_t value = 0;
  return stream >> value ? value : missing;
}

// What can be taken now before Linux kills somebody: other processes and the JavaScript heap use memory as well.
size_t available_memory() {
  const size_t kib = number_in("/proc/meminfo", "MemAvailable:", SIZE_MAX / 1024);
  size_t available = kib * 1024;
  const size_t limit = only_number_in("/sys/fs/cgroup/memory.max", 0);
  if (limit > 0) {
    // Pages of files count as used, and are given up when memory is short.
    const size_t used = only_number_in("/sys/fs/cgroup/memory.current", 0);
    const size_t files = number_in("/sys/fs/cgroup/memory.stat", "inactive_file", 0);
    const size_t held = used - std::min(used, files);
    available = std::min(available, limit - std::min(limit, held));
  }
  return available;
}

}  // namespace

Memory& Memory::instance() {
  static Memory* const memory = new Memory;
  return *memory;
}

size_t Memory::rounded(size_t bytes) {
  if (bytes <= 4 * kAlignment) return std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

void* Memory::take_cached(size_t size) {
  const auto found = free_.find(size);
  if (found == free_.end() || found->second.empty()) return nullptr;
  void* const block = found->second.back();
  found->second.pop_back();
  stats_.cached -= int64_t(size);
  return block;
}

void* Memory::take_fresh(size_t size) {
  if (size > most() || size_t(stats_.in_use + stats_.cached) > most() - size) return nullptr;
  // Looking takes some 50 us: worth it where one request can make the difference.
  constexpr size_t kWorthLooking = size_t(64) << 20;
  if (size >= kWorthLooking && available_memory() < size + kWorthLooking) return nullptr;
  const bool huge = size >= kHugePage;
  void* block = nullptr;
  if (posix_memalign(&block, huge ? kHugePage : kAlignment, size) != 0) return nullptr;
#if defined(__linux__)
  // One page fault for 2 MiB instead of 512.
  if (huge) madvise(block, size, MADV_HUGEPAGE);
#endif
  return block;
}

void* Memory::allocate(size_t bytes) {
  const size_t size = bytes > SIZE_MAX / 2 ? bytes : rounded(bytes);
  std::lock_guard lock(mutex_);
  const bool fails = faults_.next();
  void* block = fails ? nullptr : take_cached(size);
  if (block == nullptr && !fails) block = take_fresh(size);
  if (block == nullptr && !fails) {
    drop_cache();
    block = take_fresh(size);
  }
  if (block == nullptr) {
    throw Error("ERR_OUT_OF_MEMORY", "out of memory: asked " + gibibytes(double(bytes)) + ", in use " +
                                         gibibytes(double(stats_.in_use)) + " of " + gibibytes(double(most())) +
                                         "; lower the batch size or dispose tensors");
  }
  stats_.in_use += int64_t(size);
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  return block;
}

void Memory::release(void* block, size_t bytes) noexcept {
  const size_t size = rounded(bytes);
  std::lock_guard lock(mutex_);
  stats_.in_use -= int64_t(size);
  try {
    free_[size].push_back(block);
    stats_.cached += int64_t(size);
  } catch (const std::bad_alloc&) {
    std::free(block);
  }
}

void Memory::drop_cache() noexcept {
  for (auto& [size, blocks] : free_) {
    for (void* block : blocks) std::free(block);
    blocks.clear();
  }
  stats_.cached = 0;
}

void Memory::release_cache() noexcept {
  std::lock_guard lock(mutex_);
  drop_cache();
}

size_t Memory::most() const { return std::min(limit_, system_memory()); }

void Memory::set_limit(size_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes;
  if (size_t(stats_.in_use + stats_.cached) > most()) drop_cache();
}

int64_t Memory::fail_allocations(int64_t first, int64_t count) {
  std::lock_guard lock(mutex_);
  return faults_.arm(first, count);
}

MemoryStats Memory::stats() {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace selfnorm
