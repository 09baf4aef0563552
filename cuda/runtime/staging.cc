#include "staging.h"

#include <algorithm>
#include <bit>

#include "status.h"

namespace selfnorm {
namespace {

constexpr size_t kSmallest = size_t(4) << 10;
// Larger blocks are unpinned after use: pinned memory is memory that the system cannot take back.
constexpr size_t kLargestKept = size_t(32) << 20;
// A host that copies faster than the device works waits here, before it pins all memory.
constexpr size_t kMostBusy = size_t(128) << 20;

}  // namespace

StagingBlock::StagingBlock(size_t bytes) : size(bytes) {
  // The event first: should it fail there is nothing to give back.
  check_cuda(cudaEventCreateWithFlags(&done, cudaEventDisableTiming | cudaEventBlockingSync),
             "cudaEventCreateWithFlags");
  if (const cudaError_t status = cudaMallocHost(&data, size); status != cudaSuccess) {
    cudaEventDestroy(done);
    check_cuda(status, "cudaMallocHost");
  }
}

StagingBlock::~StagingBlock() {
  cudaEventSynchronize(done);
  cudaEventDestroy(done);
  cudaFreeHost(data);
}

void StagingPool::collect() {
  while (!busy_.empty()) {
    std::unique_ptr<StagingBlock>& first = busy_.front();
    if (busy_bytes_ > kMostBusy) cudaEventSynchronize(first->done);
    if (cudaEventQuery(first->done) != cudaSuccess) {
      // "Not ready" is an answer, not a failure to be found by the next call.
      cudaGetLastError();
      return;
    }
    busy_bytes_ -= first->size;
    free_[first->size].push_back(std::move(first));
    busy_.pop_front();
  }
}

std::unique_ptr<StagingBlock> StagingPool::take(size_t bytes) {
  if (bytes > kLargestKept) return std::make_unique<StagingBlock>(bytes);
  const size_t size = std::bit_ceil(std::max(bytes, kSmallest));
  const std::lock_guard lock(mutex_);
  collect();
  auto& blocks = free_[size];
  if (blocks.empty()) return std::make_unique<StagingBlock>(size);
  std::unique_ptr<StagingBlock> block = std::move(blocks.back());
  blocks.pop_back();
  return block;
}

void StagingPool::give(std::unique_ptr<StagingBlock> block) noexcept {
  if (block == nullptr || block->size > kLargestKept) return;
  const std::lock_guard lock(mutex_);
  const size_t size = block->size;
  try {
    busy_.push_back(std::move(block));
    busy_bytes_ += size;
  } catch (const std::bad_alloc&) {
    // The block frees itself.
  }
}

void StagingPool::release_cache() noexcept {
  const std::lock_guard lock(mutex_);
  busy_.clear();
  busy_bytes_ = 0;
  free_.clear();
}

}  // namespace selfnorm
