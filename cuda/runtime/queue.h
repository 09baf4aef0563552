// The CUDA backend's device queue: a stream with its memory. cpu/runtime/queue.h has the same names; ops and binding
// see no difference.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../ops/recorded_call.h"
#include "../ops/table.h"
#include "memory.h"
#include "staging.h"
#include "status.h"
#include "upload_streams.h"

namespace selfnorm {

struct DeviceInfo {
  std::string name;
  int64_t memory = 0;
  std::vector<std::pair<std::string, std::string>> details;  // library versions and capabilities, for people
};

class Queue;

// An event of the stream: wait() blocks until the stream has come by it, and may run on any thread.
class Completion {
 public:
  explicit Completion(Queue& queue);
  ~Completion();
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;
  void wait();

 private:
  int device_;
  cudaEvent_t event_ = nullptr;
};

// A read-back under way: wait() blocks on an event and may run on any thread.
class Download {
 public:
  Download(Queue& queue, void* to, const void* from, size_t bytes);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  void wait();

 private:
  void* to_;
  size_t bytes_;
  int device_;
  std::shared_ptr<StagingPool> pool_;
  std::unique_ptr<StagingBlock> block_;
};

class Queue {
 public:
  static std::vector<DeviceInfo> devices();
  static const OpTable& ops();
  explicit Queue(int device);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void* allocate(size_t bytes) { return memory_.allocate(bytes); }
  void release(void* block, size_t bytes) noexcept { memory_.release(block, bytes); }
  void release_cache() noexcept;
  void set_memory_limit(size_t bytes) { memory_.set_limit(bytes); }
  int64_t fail_allocations(int64_t first, int64_t count) { return memory_.fail_allocations(first, count); }
  MemoryStats memory() { return memory_.stats(); }

  // The one way from an op to the device: work() launches on stream() and checks what its calls answer. Under capture
  // it is recorded by CUDA itself.
  template <class Work>
  void enqueue(Work&& work) {
    use_device(device_);
    work();
  }

  // Runs `job`, which may not throw and waits for nothing: what it launches is queued.
  template <class Job>
  void submit(Job&& job) {
    job();
  }
  // The end of what was queued so far.
  std::unique_ptr<Completion> completion() { return std::make_unique<Completion>(*this); }

  // The source may change as soon as this returns. Stream order makes it right for fresh memory and for memory in use;
  // what fills fresh memory, a batch as a rule, travels while the device works on the one before.
  void upload(void* to, const void* from, size_t bytes, bool fresh);
  void copy(void* to, const void* from, size_t bytes);
  std::unique_ptr<Download> download(void* to, const void* from, size_t bytes, bool may_change);
  void synchronize();
  // setFloat32Precision('high'): matmul and convolution may round float32 operands to TF32.
  bool fast_float32 = false;

  cudaStream_t stream() const { return stream_; }
  const std::shared_ptr<StagingPool>& staging() const { return staging_; }
  int device() const { return device_; }
  int multiprocessors() const { return multiprocessors_; }

 private:
  int device_;
  int multiprocessors_ = 1;
  cudaStream_t stream_ = nullptr;
  std::shared_ptr<StagingPool> staging_ = std::make_shared<StagingPool>();
  DeviceMemory memory_;
  std::unique_ptr<UploadLane<UploadStreams>> lane_;
};

// Memory an op needs between its launches; given back in stream order, so a later op may reuse it at once.
class Scratch {
 public:
  Scratch(Queue& queue, size_t bytes)
      : queue_(queue), bytes_(bytes), planned_(scratch_plan != nullptr ? scratch_plan->take(bytes) : nullptr) {
    data_ = planned_ != nullptr ? planned_ : queue.allocate(bytes);
  }
  ~Scratch() {
    if (planned_ == nullptr) queue_.release(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Queue& queue_;
  size_t bytes_;
  void* planned_;  // in a Program's arena
  void* data_;
};

}  // namespace selfnorm
