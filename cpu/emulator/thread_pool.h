// OS threads that play the CUDA threads of one block after another: starting fresh ones costs five times the block.
// A worker synchronises with the launcher alone, never with another worker: were there one queue and one lock, a
// thread that starts late would be ordered after one that already finished, and TSan could not see them race.
#pragma once

#include <chrono>
#include <deque>
#include <thread>

#include "emulator/futex.h"

namespace selfnorm::emulator::engine {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kMaximumThreads = 1024;

class ThreadPool {
 public:
  using Task = void (*)(void* argument, unsigned thread);

  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /** Starts task(argument, t) for every t below `threads`, growing the pool as needed. Call wait_for until true. */
  void start(unsigned threads, Task task, void* argument);

  /** Waits for the started tasks; false when some still run after `limit`. */
  bool wait_for(std::chrono::nanoseconds limit);

 private:
  struct Worker {
    Word ticket{0};  // the launcher raises it to start this worker
    std::thread thread;
  };
  struct alignas(64) Bell {
    Word rings{0};
  };

  void serve(Worker& worker, unsigned index);

  std::deque<Worker> workers_;
  Bell bells_[kMaximumThreads / kWarpSize];  // one a warp, so that a small block leaves most of a large pool asleep
  Task task_ = nullptr;
  void* argument_ = nullptr;
  bool stopping_ = false;
  Word remaining_{0};
  Word done_{1};
};

}  // namespace selfnorm::emulator::engine
