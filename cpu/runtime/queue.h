// The CPU backend's device queue: work runs at once on the calling thread, spread over worker threads by the launcher.
// cuda/runtime/queue.h has the same names over a CUDA stream; ops and binding see no difference.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../cuda/ops/table.h"
#include "memory.h"

namespace selfnorm {

struct DeviceInfo {
  std::string name;
  int64_t memory = 0;
  std::vector<std::pair<std::string, std::string>> details;  // library versions and capabilities, for people
};

// A read-back under way: wait() blocks and may run on any thread; the bytes are in the destination after it.
class Download {
 public:
  Download(void* to, const void* from, size_t bytes) : to_(to), from_(from), bytes_(bytes) {}
  void wait() {
    if (bytes_ > 0) std::memcpy(to_, from_, bytes_);
    bytes_ = 0;
  }

 private:
  void* to_;
  const void* from_;
  size_t bytes_;
};

class Queue {
 public:
  static std::vector<DeviceInfo> devices();
  static const OpTable& ops();
  explicit Queue(int device);

  void* allocate(size_t bytes) { return Memory::instance().allocate(bytes); }
  void release(void* block, size_t bytes) noexcept { Memory::instance().release(block, bytes); }
  void release_cache() noexcept { Memory::instance().release_cache(); }
  MemoryStats memory() const { return Memory::instance().stats(); }

  // The one way from an op to the device. While a Program records, work is kept for replay as well as run.
  template <class Work>
  void enqueue(Work&& work) {
    work();
  }

  void upload(void* to, const void* from, size_t bytes);
  void copy(void* to, const void* from, size_t bytes);
  // `may_change`: the source is a variable that a later op may overwrite, so its bytes must be taken now.
  std::unique_ptr<Download> download(void* to, const void* from, size_t bytes, bool may_change);
  void synchronize() {}
  // setFloat32Precision('high'): true float32 is all the CPU has.
  bool fast_float32 = false;
};

// Memory an op needs between its launches; given back in queue order, so a later op may reuse it at once.
class Scratch {
 public:
  Scratch(Queue& queue, size_t bytes) : queue_(queue), bytes_(bytes), data_(queue.allocate(bytes)) {}
  ~Scratch() { queue_.release(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Queue& queue_;
  size_t bytes_;
  void* data_;
};

}  // namespace selfnorm
