#include "worker.h"

#include <chrono>
#include <utility>

#include "workers.h"

namespace selfnorm {

Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    stops_ = true;
    jobs_.clear();
  }
  given_.notify_all();
  if (thread_.joinable()) thread_.join();
}

uint64_t Worker::submit(std::function<void()> job) {
  // OpenMP keeps a team for each thread that starts parallel work, and when there are more threads than cores lets them
  // sleep between launches: the team that is not at work is given up.
  give_up_team();
  uint64_t ticket;
  {
    std::lock_guard lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    jobs_.push_back(std::move(job));
    ticket = submitted_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  given_.notify_one();
  return ticket;
}

void Worker::wait(uint64_t ticket) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return done_.load(std::memory_order_relaxed) >= ticket || stops_; });
}

void Worker::settle() {
  if (idle() || std::this_thread::get_id() == thread_.get_id()) return;
  wait(submitted_.load(std::memory_order_relaxed));
}

void Worker::run() {
  // Long enough that a Program called again and again keeps its team.
  constexpr auto kKeepsTeam = std::chrono::milliseconds(10);
  std::unique_lock lock(mutex_);
  const auto called = [this] { return stops_ || !jobs_.empty(); };
  while (true) {
    if (!given_.wait_for(lock, kKeepsTeam, called)) {
      give_up_team();
      given_.wait(lock, called);
    }
    if (stops_) return;
    {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      // What the job held is freed before anyone hears that it is done.
    }
    lock.lock();
    done_.fetch_add(1, std::memory_order_release);
    ended_.notify_all();
  }
}

}  // namespace selfnorm
