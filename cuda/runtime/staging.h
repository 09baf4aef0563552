// Pinned host memory for copies between host and device: only from there do they run beside the host. Pinning costs
// about a millisecond, so blocks are kept, each with the event that says when its last copy is done.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace selfnorm {

struct StagingBlock {
  explicit StagingBlock(size_t size);
  ~StagingBlock();
  StagingBlock(const StagingBlock&) = delete;
  StagingBlock& operator=(const StagingBlock&) = delete;

  size_t size;
  void* data = nullptr;
  cudaEvent_t done = nullptr;
};

// One a queue. Shared with the downloads under way, which may outlive it.
class StagingPool {
 public:
  // A block of at least `bytes` whose last copy is done.
  std::unique_ptr<StagingBlock> take(size_t bytes);
  // Gives back a block whose copy may still run.
  void give(std::unique_ptr<StagingBlock> block) noexcept;
  void release_cache() noexcept;

 private:
  void collect();

  std::mutex mutex_;
  std::deque<std::unique_ptr<StagingBlock>> busy_;  // in stream order
  size_t busy_bytes_ = 0;
  std::map<size_t, std::vector<std::unique_ptr<StagingBlock>>> free_;
};

}  // namespace selfnorm
