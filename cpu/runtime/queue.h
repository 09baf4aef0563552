// The CPU backend's device queue: work runs at once on the calling thread, spread over worker threads by the launcher;
// Programs run on a thread of their own, and eager work waits for them. cuda/runtime/queue.h has the same names over a
// CUDA stream; ops and binding see no difference.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../../cuda/ops/recorded_call.h"
#include "../../cuda/ops/table.h"
#include "launch_list.h"
#include "memory.h"
#include "worker.h"

namespace selfnorm {

struct DeviceInfo {
  std::string name;
  int64_t memory = 0;
  std::vector<std::pair<std::string, std::string>> details;  // library versions and capabilities, for people
};

// Work given to the queue's worker: wait() blocks and may run on any thread.
class Completion {
 public:
  Completion(Worker& worker, uint64_t ticket) : worker_(worker), ticket_(ticket) {}
  void wait() { worker_.wait(ticket_); }

 private:
  Worker& worker_;
  uint64_t ticket_;
};

// A read-back under way: the bytes are in the destination after wait().
class Download {
 public:
  // Of bytes that stay as they are until they are copied.
  Download(void* to, const void* from, size_t bytes) : to_(to), from_(from), bytes_(bytes) {}
  // Of bytes that the worker copies.
  explicit Download(std::unique_ptr<Completion> copied) : copied_(std::move(copied)) {}
  void wait() {
    if (copied_) copied_->wait();
    if (bytes_ > 0) std::memcpy(to_, from_, bytes_);
    bytes_ = 0;
  }

 private:
  void* to_ = nullptr;
  const void* from_ = nullptr;
  size_t bytes_ = 0;
  std::unique_ptr<Completion> copied_;
};

class Queue {
 public:
  static std::vector<DeviceInfo> devices();
  static const OpTable& ops();
  explicit Queue(int device);

  void* allocate(size_t bytes) { return Memory::instance().allocate(bytes); }
  void release(void* block, size_t bytes) noexcept { Memory::instance().release(block, bytes); }
  void release_cache() noexcept { Memory::instance().release_cache(); }
  void set_memory_limit(size_t bytes) { Memory::instance().set_limit(bytes); }
  int64_t fail_allocations(int64_t first, int64_t count) { return Memory::instance().fail_allocations(first, count); }
  MemoryStats memory() const { return Memory::instance().stats(); }

  // The one way from an op to the device. While a Program is captured, work is kept for its replays instead of run.
  template <class Work>
  void enqueue(const Work& work) {
    if (launches_under_capture != nullptr) {
      launches_under_capture->add(work);
      return;
    }
    if (!worker_.idle()) worker_.settle();
    work();
  }

  // Runs `job`, which may not throw, after what was queued before it.
  void submit(std::function<void()> job) { worker_.submit(std::move(job)); }
  // The end of what was queued so far.
  std::unique_ptr<Completion> completion();

  // `fresh`: memory that no queued work knows of.
  void upload(void* to, const void* from, size_t bytes, bool fresh);
  void copy(void* to, const void* from, size_t bytes);
  // `may_change`: the source is a variable that a later op may overwrite, so its bytes must be taken now.
  std::unique_ptr<Download> download(void* to, const void* from, size_t bytes, bool may_change);
  void synchronize() { worker_.settle(); }
  // setFloat32Precision('high'): true float32 is all the CPU has.
  bool fast_float32 = false;

 private:
  Worker worker_;
};

// Memory an op needs between its launches; given back in queue order, so a later op may reuse it at once.
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
