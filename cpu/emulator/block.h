// One CUDA block in flight: its threads, which are fibers that run one at a time, its barrier, its warps.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <string>
#include <vector>

#include "emulator/fiber.h"
#include "emulator/thread_block.h"

namespace selfnorm::emulator::engine {

inline constexpr unsigned kWarpSize = 32;
inline constexpr unsigned kMaximumThreads = 1024;

class Block;

/** Whether the caller is a CUDA thread. */
bool inside_kernel();

/** What the lanes of one warp operation have in common. Whoever arrives gives to the edge, whoever leaves takes from
   it. An edge serves another operation when all have left: before that, a lane that ran ahead would order the others
   after it. */
struct Meeting {
  Edge edge;
  unsigned lanes = 0;  // that have arrived and not left
};

/** What a lane brings to a warp operation. Lives on the lane's stack while it waits. */
struct LaneRequest {
  WarpOperation operation;
  unsigned mask;
  unsigned source;
  std::size_t bytes;
  Meeting* meeting = nullptr;
  alignas(16) std::byte value[kLaneBytes] = {};
  alignas(16) std::byte result[kLaneBytes] = {};
};

struct Warp {
  LaneRequest* waiting[kWarpSize] = {};
  unsigned ended = 0;
  std::deque<Meeting> meetings;
};

enum class Doing { kIdle, kRunning, kAtBarrier, kInWarp, kEnded };

struct Thread {
  Block* block = nullptr;
  Fiber* fiber = nullptr;
  unsigned index = 0;
  unsigned barriers = 0;  // sync_threads calls so far
  Doing doing = Doing::kIdle;
};

class Block {
 public:
  /** `fibers` has at least `threads`. */
  Block(const char* kernel_name, unsigned grid, unsigned threads, std::deque<Fiber>& fibers, KernelBody call,
        void* body);

  /** Runs block `index`, its threads starting in `order`. Throws the first failure. */
  void run(unsigned index, const std::vector<unsigned>& order);

  void sync_threads(Thread& self);
  void exchange(Thread& self, WarpOperation operation, unsigned mask, unsigned source, const void* value, void* result,
                std::size_t bytes);

  [[noreturn]] void fail(const std::string& what) const;

  unsigned index() const { return index_; }
  unsigned grid() const { return grid_; }
  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }

 private:
  void start(Thread& thread);
  void resume(Thread& thread);
  void play(Thread& self);
  void wait(Thread& self, Doing doing);
  void end(Thread& self);
  void make_ready(Thread& thread);
  void open_barrier_when_all_are_there();
  void check_all_reached_every_barrier() const;
  Meeting& meeting_of(Warp& warp, unsigned mask);
  unsigned lanes_of(unsigned warp) const;
  void check_arrival(const Warp& warp, unsigned warp_index, unsigned lane, const LaneRequest& request) const;
  bool complete(Warp& warp, unsigned warp_index, unsigned mask);
  std::string describe_waits() const;
  std::string place() const;

  const char* kernel_name_;
  unsigned grid_;
  KernelBody call_;
  void* body_;
  unsigned index_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::deque<Thread*> ready_;

  unsigned running_ = 0;  // threads that have not ended
  unsigned at_barrier_ = 0;
  unsigned phase_ = 0;  // barriers opened
  // By turns: a thread that has run ahead to the next barrier gives to another edge than those still to leave this one
  // take.
  Edge barrier_edges_[2];
  Edge end_;

  std::exception_ptr failure_;
};

}  // namespace selfnorm::emulator::engine
