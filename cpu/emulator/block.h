// One CUDA block in flight: its threads, its barrier, its warps. The barrier is two atomics and not a mutex with a
// condition variable, because waking up through a mutex would order a thread after others that have run ahead
// since, and TSan would take their races for synchronised.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "emulator/futex.h"
#include "emulator/thread_block.h"
#include "emulator/thread_pool.h"

namespace selfnorm::emulator::engine {

class Block;

/** Whether the calling OS thread plays a CUDA thread. */
bool inside_kernel();

/** What a lane brings to a warp operation. Lives on the lane's stack while it waits; the last lane to arrive fills in
    every `result` before it releases any, so that no lane reads another's memory afterwards. */
struct LaneRequest {
  WarpOperation operation;
  unsigned mask;
  unsigned source;
  std::size_t bytes;
  alignas(16) std::byte value[kLaneBytes];
  alignas(16) std::byte result[kLaneBytes];
  Word released{0};
};

struct Warp {
  // Its lock orders lanes that arrive, which wait for each other anyway, and not lanes that leave. Only groups of
  // one warp with different masks are ordered more than on the GPU.
  std::mutex mutex;
  LaneRequest* waiting[kWarpSize] = {};
  unsigned ended = 0;
  Word wakes{0};
};

enum class Doing : std::uint64_t { kRunning, kAtBarrier, kInWarp, kEnded };

struct alignas(64) Thread {
  Block* block = nullptr;
  unsigned index = 0;
  unsigned barriers = 0;                // sync_threads calls so far
  std::uint64_t waits = 0;              // tells one wait from the next in `state`
  std::atomic<std::uint64_t> state{0};  // Doing, waits, barrier phase; relaxed: for diagnosis only, orders nothing
};

class Block {
 public:
  Block(const char* kernel_name, unsigned grid, unsigned threads);

  /** Makes the block ready to run as block `index`. */
  void reset(unsigned index);

  /** Plays thread `index` to its end. Throws nothing: the first exception is kept for rethrow_failure. */
  void play(unsigned index, KernelBody call, void* body);

  void sync_threads(Thread& self);
  void exchange(Thread& self, WarpOperation operation, unsigned mask, unsigned source, const void* value, void* result,
                std::size_t bytes);

  /** True when every thread waits or has ended, now and at the last call, and none has moved in between. */
  bool is_stuck();

  /** Which threads wait, where, and for whom. */
  std::string describe_waits();

  /** Ends the block with `failure`: wakes every waiting thread and unwinds it. The first failure is kept. */
  void abort(std::exception_ptr failure);

  /** After the block has ended: throws the first failure, or reports threads that left early. */
  void rethrow_failure();

  [[noreturn]] void fail(const std::string& what) const;
  std::string place() const;

  unsigned index() const { return index_; }
  unsigned grid() const { return grid_; }
  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }

 private:
  void end(Thread& self);
  void release_barrier(std::uint32_t phase, std::uint32_t arrived);
  void throw_if_aborted() const;
  void set_state(Thread& thread, Doing doing, std::uint32_t phase = 0);
  bool waits(std::uint64_t state) const;
  bool nobody_is_about_to_move();
  unsigned lanes_of(unsigned warp) const;
  void check_arrival(const Warp& warp, unsigned warp_index, unsigned lane, const LaneRequest& request) const;
  bool complete(Warp& warp, unsigned warp_index, unsigned mask);

  const char* kernel_name_;
  unsigned grid_;
  unsigned index_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;

  std::atomic<std::uint64_t> barrier_{0};  // high half: threads expected; low half: threads arrived
  Word phase_{0};

  std::vector<std::uint64_t> last_states_;
  std::atomic<bool> aborted_{false};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace selfnorm::emulator::engine
