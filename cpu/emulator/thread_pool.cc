// Start and finish of pooled threads. task_, argument_ and stopping_ are plain: a worker reads them only after its
// ticket rose, and the launcher writes them only while all are idle.
#include "emulator/thread_pool.h"

namespace selfnorm::emulator::engine {

ThreadPool::~ThreadPool() {
  stopping_ = true;
  for (Worker& worker : workers_) worker.ticket.fetch_add(1, std::memory_order_release);
  for (Bell& bell : bells_) {
    bell.rings.fetch_add(1, std::memory_order_release);
    futex_wake_all(bell.rings);
  }
  for (Worker& worker : workers_) worker.thread.join();
}

void ThreadPool::start(unsigned threads, Task task, void* argument) {
  while (workers_.size() < threads) {
    const auto index = static_cast<unsigned>(workers_.size());
    Worker& worker = workers_.emplace_back();
    try {
      worker.thread = std::thread([this, &worker, index] { serve(worker, index); });
    } catch (...) {
      workers_.pop_back();
      throw;
    }
  }
  task_ = task;
  argument_ = argument;
  remaining_.store(threads, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  for (unsigned t = 0; t < threads; ++t) workers_[t].ticket.fetch_add(1, std::memory_order_release);
  for (unsigned warp = 0; warp * kWarpSize < threads; ++warp) {
    bells_[warp].rings.fetch_add(1, std::memory_order_release);
    futex_wake_all(bells_[warp].rings);
  }
}

bool ThreadPool::wait_for(std::chrono::nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (done_.load(std::memory_order_acquire) == 0) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return false;
    futex_wait_for(done_, 0, left);
  }
  return true;
}

void ThreadPool::serve(Worker& worker, unsigned index) {
  Word& rings = bells_[index / kWarpSize].rings;
  for (std::uint32_t served = 0;;) {
    const std::uint32_t heard = rings.load(std::memory_order_acquire);
    const std::uint32_t ticket = worker.ticket.load(std::memory_order_acquire);
    if (ticket == served) {
      futex_wait(rings, heard);
      continue;
    }
    served = ticket;
    if (stopping_) return;
    task_(argument_, index);
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      done_.store(1, std::memory_order_release);
      futex_wake_all(done_);
    }
  }
}

}  // namespace selfnorm::emulator::engine
