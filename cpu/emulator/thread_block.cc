// Launching: the order of blocks and threads, and the watch over a launch that does not end.
#include "emulator/thread_block.h"

#include <pthread.h>
#include <time.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "emulator/block.h"

namespace selfnorm::emulator {

namespace {

using Milliseconds = std::chrono::milliseconds;

/** Ends the process when a launch takes too long: a thread in an endless loop gives nobody a turn. Counts the processor
   time of the launching thread, so that a busy machine is no hang. */
class Watchdog {
 public:
  ~Watchdog() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  void set_limit(Milliseconds limit) {
    const std::lock_guard lock(mutex_);
    limit_ = limit;
  }

  void begin(const char* kernel_name) {
    const std::lock_guard lock(mutex_);
    kernel_name_ = kernel_name;
    pthread_getcpuclockid(pthread_self(), &clock_);
    began_ = now();
    if (!thread_.joinable()) thread_ = std::thread([this] { watch(); });
  }

  void end() {
    const std::lock_guard lock(mutex_);
    kernel_name_ = nullptr;
  }

 private:
  static constexpr Milliseconds kTick{50};

  Milliseconds now() const {
    timespec time{};
    clock_gettime(clock_, &time);
    return Milliseconds(time.tv_sec * 1'000 + time.tv_nsec / 1'000'000);
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      changed_.wait_for(lock, kTick);
      if (kernel_name_ == nullptr || now() - began_ < limit_) continue;
      std::fprintf(stderr, "emulator: %s: watchdog: expected a launch to take at most %lld ms, got an endless loop\n",
                   kernel_name_, static_cast<long long>(limit_.count()));
      std::abort();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
  Milliseconds limit_ = kDefaultWatchdog;
  const char* kernel_name_ = nullptr;  // null: no launch in flight
  clockid_t clock_{};
  Milliseconds began_{};
  bool stopping_ = false;
};

/** What launches share; the mutex makes them take turns. */
struct Device {
  std::mutex mutex;
  Order order = Order::kForward;
  std::uint32_t seed = 1;
  std::deque<engine::Fiber> fibers;
  Watchdog watchdog;
};

Device& device() {
  static Device only;
  return only;
}

std::vector<unsigned> ordered(unsigned count) {
  std::vector<unsigned> all(count);
  std::iota(all.begin(), all.end(), 0u);
  const auto [order, seed] = std::pair(device().order, device().seed);
  if (order == Order::kReverse) return {all.rbegin(), all.rend()};
  if (order == Order::kShuffled) {
    // Not std::shuffle, whose permutation differs between standard libraries: a seed must repeat a failure.
    std::mt19937 random(seed);
    for (unsigned left = count; left > 1; --left) std::swap(all[left - 1], all[random() % left]);
  }
  return all;
}

}  // namespace

void set_order(Order order, std::uint32_t seed) {
  const std::lock_guard lock(device().mutex);
  device().order = order;
  device().seed = seed;
}

void set_watchdog(std::chrono::milliseconds limit) { device().watchdog.set_limit(limit); }

namespace engine {

void run_grid(const char* kernel_name, unsigned grid, unsigned block, KernelBody call, void* body) {
  const std::string name = std::string("emulator: ") + kernel_name;
  if (inside_kernel()) throw EmulatorError(name + ": launch: expected a call from the host, got one inside a kernel");
  if (block == 0 || block > kMaximumThreads) {
    throw EmulatorError(name + ": launch: block: expected 1 to " + std::to_string(kMaximumThreads) + " threads, got " +
                        std::to_string(block));
  }
  Device& shared = device();
  const std::lock_guard lock(shared.mutex);
  while (shared.fibers.size() < block) shared.fibers.emplace_back();
  struct Watch {
    Watchdog& watchdog;
    ~Watch() { watchdog.end(); }
  } const watch{shared.watchdog};
  shared.watchdog.begin(kernel_name);
  Block in_flight(kernel_name, grid, block, shared.fibers, call, body);
  const std::vector<unsigned> threads = ordered(block);
  for (const unsigned index : ordered(grid)) {
    poison_shared_arrays();
    in_flight.run(index, threads);
  }
}

}  // namespace engine

}  // namespace selfnorm::emulator
