// The emulator's device queue: plain malloc, so that AddressSanitizer sees every buffer, and work that runs at once.
#pragma once

#include <cstdlib>
#include <cstring>

#include "../../../cuda/ops/table.h"

namespace selfnorm {

// Whether matrix products run on the emulated tensor cores where those take them.
inline bool tensor_cores = false;

class Queue {
 public:
  // Block size and the most blocks of later launches: kernels must be right for any.
  int block = 32;
  int most_blocks = 3;

  void* allocate(size_t bytes) { return std::malloc(bytes == 0 ? 1 : bytes); }
  void release(void* block_of_memory, size_t) noexcept { std::free(block_of_memory); }
  template <class Work>
  void enqueue(Work&& work) {
    work();
  }
  void copy(void* to, const void* from, size_t bytes) { std::memcpy(to, from, bytes); }
};

class Scratch {
 public:
  Scratch(Queue& queue, size_t bytes) : data_(queue.allocate(bytes)) {}
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_;
};

}  // namespace selfnorm
