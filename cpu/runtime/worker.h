// The thread that runs a queue's Programs, so that JavaScript's stays free. Jobs run one after the other; whatever the
// JavaScript thread does on the queue itself waits until they are done.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace selfnorm {

class Worker {
 public:
  Worker() = default;
  // Jobs that have not begun are dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Jobs may not throw. The answer is the job's ticket.
  uint64_t submit(std::function<void()> job);
  // Returns once the job has run; any thread may ask.
  void wait(uint64_t ticket);
  // Returns once every job has run; at once on the worker itself, whose job is next in any case.
  void settle();
  bool idle() const { return done_.load(std::memory_order_acquire) == submitted_.load(std::memory_order_relaxed); }

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable given_, ended_;
  std::deque<std::function<void()>> jobs_;
  std::atomic<uint64_t> submitted_{0}, done_{0};
  bool stops_ = false;
  std::thread thread_;
};

}  // namespace selfnorm
