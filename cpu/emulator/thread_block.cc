// Launching: the order of blocks, the watch over a block in flight, and what is done when it hangs.
#include "emulator/thread_block.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "emulator/block.h"
#include "emulator/thread_pool.h"

namespace selfnorm::emulator {

namespace {

using Milliseconds = std::chrono::milliseconds;

struct Settings {
  BlockOrder order = BlockOrder::kForward;
  std::uint32_t seed = 1;
  Milliseconds watchdog = kDefaultWatchdog;
};

/** What launches share; the mutex makes them take turns. */
struct Device {
  std::mutex mutex;
  Settings settings;
  engine::ThreadPool pool;
};

Device& device() {
  static Device only;
  return only;
}

std::vector<unsigned> ordered_blocks(unsigned grid, const Settings& settings) {
  std::vector<unsigned> blocks(grid);
  std::iota(blocks.begin(), blocks.end(), 0u);
  if (settings.order == BlockOrder::kReverse) return {blocks.rbegin(), blocks.rend()};
  if (settings.order == BlockOrder::kShuffled) {
    // Not std::shuffle, whose permutation differs between standard libraries: a seed must repeat a failure.
    std::mt19937 random(settings.seed);
    for (unsigned left = grid; left > 1; --left) std::swap(blocks[left - 1], blocks[random() % left]);
  }
  return blocks;
}

struct Run {
  engine::Block& block;
  engine::KernelBody call;
  void* body;
};

constexpr Milliseconds kTick{50};
constexpr Milliseconds kUnwindTime{2'000};

void abort_with(engine::Block& block, const std::string& what) {
  block.abort(std::make_exception_ptr(EmulatorError("emulator: " + block.place() + ": " + what)));
}

/** Waits for the block in flight. Once it hangs, unwinds it; threads that wait nowhere cannot be unwound, and as they
    still use the caller's memory, nothing can follow but the end of the test process. */
void watch(engine::ThreadPool& pool, engine::Block& block, Milliseconds watchdog) {
  const auto deadline = std::chrono::steady_clock::now() + watchdog;
  while (!pool.wait_for(std::min<std::chrono::nanoseconds>(kTick, watchdog))) {
    if (block.is_stuck()) {
      abort_with(block, "deadlock: every thread waits: " + block.describe_waits());
      break;
    }
    if (std::chrono::steady_clock::now() < deadline) continue;
    const std::string what = "watchdog: expected the block to end within " + std::to_string(watchdog.count()) +
                             " ms, got a block still running: " + block.describe_waits();
    abort_with(block, what);
    if (pool.wait_for(kUnwindTime)) return;
    std::fprintf(stderr, "emulator: %s: %s; a thread is in an endless loop, ending the process\n",
                 block.place().c_str(), what.c_str());
    std::abort();
  }
  while (!pool.wait_for(watchdog)) {
  }
}

}  // namespace

void set_block_order(BlockOrder order, std::uint32_t seed) {
  const std::lock_guard lock(device().mutex);
  device().settings.order = order;
  device().settings.seed = seed;
}

void set_watchdog(std::chrono::milliseconds limit) {
  const std::lock_guard lock(device().mutex);
  device().settings.watchdog = limit;
}

namespace engine {

void run_grid(const char* kernel_name, unsigned grid, unsigned block, KernelBody call, void* body) {
  const std::string name = std::string("emulator: ") + kernel_name;
  if (inside_kernel()) throw EmulatorError(name + ": launch: expected a call from the host, got one inside a kernel");
  if (block == 0 || block > kMaximumThreads) {
    throw EmulatorError(name + ": launch: block: expected 1 to " + std::to_string(kMaximumThreads) + " threads, got " +
                        std::to_string(block));
  }
  const std::lock_guard lock(device().mutex);
  Block in_flight(kernel_name, grid, block);
  Run run{in_flight, call, body};
  for (const unsigned index : ordered_blocks(grid, device().settings)) {
    poison_shared_arrays();
    in_flight.reset(index);
    device().pool.start(
        block,
        [](void* argument, unsigned thread) {
          const Run& current = *static_cast<Run*>(argument);
          current.block.play(thread, current.call, current.body);
        },
        &run);
    watch(device().pool, in_flight, device().settings.watchdog);
    in_flight.rethrow_failure();
  }
}

}  // namespace engine

}  // namespace selfnorm::emulator
