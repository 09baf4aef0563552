// The block's barrier, its warp operations, and the diagnosis of a block that cannot go on.
#include "emulator/block.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace selfnorm::emulator::engine {

namespace {

/** Unwinds the threads of a block that has failed; never leaves the emulator. */
struct Aborted {};

thread_local Thread* current_thread = nullptr;

Thread& calling_thread(const char* caller) {
  if (current_thread == nullptr) {
    throw EmulatorError(std::string("emulator: ") + caller +
                        ": expected a call inside a kernel, got one outside; use launch");
  }
  return *current_thread;
}

const char* name_of(WarpOperation operation) {
  switch (operation) {
    case WarpOperation::kSyncWarp: return "sync_warp";
    case WarpOperation::kShuffleDown: return "shuffle_down";
    case WarpOperation::kShuffleXor: return "shuffle_xor";
    case WarpOperation::kShuffle: return "shuffle";
    case WarpOperation::kBallot: return "ballot";
  }
  return "warp operation";
}

std::string hexadecimal(unsigned value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

std::string list_of_lanes(unsigned lanes) {
  std::string text;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((lanes >> lane) & 1u) == 0) continue;
    unsigned last = lane;
    while (last + 1 < kWarpSize && ((lanes >> (last + 1)) & 1u) != 0) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(lane);
    if (last > lane) text += "-" + std::to_string(last);
    lane = last;
  }
  return text;
}

std::uint32_t arrived_of(std::uint64_t barrier) { return static_cast<std::uint32_t>(barrier); }
std::uint32_t expected_of(std::uint64_t barrier) { return static_cast<std::uint32_t>(barrier >> 32); }
Doing doing_of(std::uint64_t state) { return static_cast<Doing>(state >> 62); }

}  // namespace

Block::Block(const char* kernel_name, unsigned grid, unsigned threads)
    : kernel_name_(kernel_name), grid_(grid), threads_(threads), warps_((threads + kWarpSize - 1) / kWarpSize) {
  for (unsigned t = 0; t < threads; ++t) {
    threads_[t].block = this;
    threads_[t].index = t;
  }
}

void Block::reset(unsigned index) {
  index_ = index;
  barrier_.store(std::uint64_t{threads()} << 32, std::memory_order_relaxed);
  for (Thread& thread : threads_) {
    thread.barriers = 0;
    set_state(thread, Doing::kRunning);
  }
  for (Warp& warp : warps_) warp.ended = 0;
  last_states_.clear();
}

void Block::play(unsigned index, KernelBody call, void* body) {
  Thread& self = threads_[index];
  current_thread = &self;
  try {
    throw_if_aborted();
    call(body);
    throw_if_aborted();
    end(self);
  } catch (const Aborted&) {
  } catch (...) {
    abort(std::current_exception());
  }
  set_state(self, Doing::kEnded);
  current_thread = nullptr;
}

void Block::end(Thread& self) {
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[warp_index];
  {
    const std::lock_guard lock(warp.mutex);
    warp.ended |= 1u << lane;
    for (unsigned other = 0; other < kWarpSize; ++other) {
      const LaneRequest* request = warp.waiting[other];
      if (request == nullptr || ((request->mask >> lane) & 1u) == 0) continue;
      fail("warp " + std::to_string(warp_index) + ": " + name_of(request->operation) + ": expected lanes " +
           list_of_lanes(request->mask) + " to arrive as lane " + std::to_string(other) +
           " named them, got the end of lane " + std::to_string(lane) + "; name only lanes that take part");
    }
  }
  const std::uint64_t now =
      barrier_.fetch_sub(std::uint64_t{1} << 32, std::memory_order_acq_rel) - (std::uint64_t{1} << 32);
  if (expected_of(now) > 0 && arrived_of(now) == expected_of(now)) {
    // The others all wait, so the phase cannot move under us.
    release_barrier(phase_.load(std::memory_order_relaxed), arrived_of(now));
  }
}

void Block::sync_threads(Thread& self) {
  throw_if_aborted();
  ++self.barriers;
  ++self.waits;
  // Cannot advance before this thread arrives.
  const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
  set_state(self, Doing::kAtBarrier, phase);
  const std::uint64_t now = barrier_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (arrived_of(now) == expected_of(now)) {
    release_barrier(phase, arrived_of(now));
  } else {
    while (phase_.load(std::memory_order_acquire) == phase) {
      throw_if_aborted();
      futex_wait(phase_, phase);
    }
  }
  throw_if_aborted();
  set_state(self, Doing::kRunning);
}

void Block::release_barrier(std::uint32_t phase, std::uint32_t arrived) {
  barrier_.fetch_sub(arrived, std::memory_order_relaxed);
  phase_.store(phase + 1, std::memory_order_release);
  futex_wake_all(phase_);
}

void Block::exchange(Thread& self, WarpOperation operation, unsigned mask, unsigned source, const void* value,
                     void* result, std::size_t bytes) {
  throw_if_aborted();
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[warp_index];
  LaneRequest request{operation, mask & lanes_of(warp_index), source, bytes, {}, {}, {}};
  if (bytes > 0) std::memcpy(request.value, value, bytes);
  ++self.waits;
  bool completed = false;
  {
    const std::lock_guard lock(warp.mutex);
    check_arrival(warp, warp_index, lane, request);
    warp.waiting[lane] = &request;
    set_state(self, Doing::kInWarp);
    try {
      completed = complete(warp, warp_index, request.mask);
    } catch (...) {
      warp.waiting[lane] = nullptr;  // `request` is about to go out of scope
      throw;
    }
  }
  if (completed) {
    warp.wakes.fetch_add(1, std::memory_order_release);
    futex_wake_all(warp.wakes);
  }
  for (;;) {
    const std::uint32_t seen = warp.wakes.load(std::memory_order_acquire);
    if (request.released.load(std::memory_order_acquire) != 0) break;
    if (aborted_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(warp.mutex);
      if (warp.waiting[lane] == &request) warp.waiting[lane] = nullptr;
      throw Aborted{};
    }
    futex_wait(warp.wakes, seen);
  }
  if (bytes > 0) std::memcpy(result, request.result, bytes);
}

void Block::check_arrival(const Warp& warp, unsigned warp_index, unsigned lane, const LaneRequest& request) const {
  const std::string where = "warp " + std::to_string(warp_index) + ": " + name_of(request.operation) + ": ";
  if (((request.mask >> lane) & 1u) == 0) {
    fail(where + "expected the mask to name the calling lane " + std::to_string(lane) + ", got " +
         hexadecimal(request.mask) + "; a lane calls only for itself");
  }
  if ((request.mask & warp.ended) != 0) {
    fail(where + "expected lanes " + list_of_lanes(request.mask) + " to arrive as lane " + std::to_string(lane) +
         " named them, got the end of lane " + list_of_lanes(request.mask & warp.ended) +
         "; name only lanes that take part");
  }
  for (unsigned other = 0; other < kWarpSize; ++other) {
    const LaneRequest* waiting = warp.waiting[other];
    if (waiting == nullptr || waiting->mask == request.mask) continue;
    // One naming the other is not yet wrong: lane 0 may do {0,1} and then {0,2} while lane 2 already waits for it.
    if (((request.mask >> other) & 1u) == 0 || ((waiting->mask >> lane) & 1u) == 0) continue;
    fail(where + "expected lane " + std::to_string(lane) + " to name mask " + hexadecimal(waiting->mask) + " as lane " +
         std::to_string(other) + " does, got " + hexadecimal(request.mask) + "; give every lane the same mask");
  }
}

bool Block::complete(Warp& warp, unsigned warp_index, unsigned mask) {
  const LaneRequest* first = nullptr;
  std::uint64_t predicates = 0;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((mask >> lane) & 1u) == 0) continue;
    const LaneRequest* request = warp.waiting[lane];
    if (request == nullptr || request->mask != mask) return false;
    if (first == nullptr) first = request;
    predicates |= std::uint64_t{request->value[0] != std::byte{0}} << lane;
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((mask >> lane) & 1u) == 0) continue;
    const LaneRequest* request = warp.waiting[lane];
    if (request->operation != first->operation || request->bytes != first->bytes) {
      fail("warp " + std::to_string(warp_index) + ": lane " + std::to_string(lane) + ": expected " +
           name_of(first->operation) + " of " + std::to_string(first->bytes) + " bytes as the first lane calls, got " +
           name_of(request->operation) + " of " + std::to_string(request->bytes) +
           "; give every lane of the mask the same operation");
    }
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((mask >> lane) & 1u) == 0) continue;
    LaneRequest& request = *warp.waiting[lane];
    if (request.operation == WarpOperation::kBallot) {
      const auto votes = static_cast<std::uint32_t>(predicates);
      std::memcpy(request.result, &votes, sizeof votes);
    } else if (request.bytes > 0 && ((mask >> request.source) & 1u) != 0) {
      std::memcpy(request.result, warp.waiting[request.source]->value, request.bytes);
    } else {
      fill_with_poison(request.result, request.bytes);
    }
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((mask >> lane) & 1u) == 0) continue;
    LaneRequest* request = warp.waiting[lane];
    warp.waiting[lane] = nullptr;
    set_state(threads_[warp_index * kWarpSize + lane], Doing::kRunning);
    request->released.store(1, std::memory_order_release);  // from here on the lane may return and the request be gone
  }
  return true;
}

unsigned Block::lanes_of(unsigned warp) const {
  const unsigned lanes = std::min(kWarpSize, threads() - warp * kWarpSize);
  return lanes == kWarpSize ? ~0u : (1u << lanes) - 1u;
}

void Block::set_state(Thread& thread, Doing doing, std::uint32_t phase) {
  const std::uint64_t wait = thread.waits & 0x3fff'ffffu;
  thread.state.store(static_cast<std::uint64_t>(doing) << 62 | wait << 32 | phase, std::memory_order_relaxed);
}

bool Block::waits(std::uint64_t state) const {
  if (doing_of(state) == Doing::kInWarp) return true;
  return doing_of(state) == Doing::kAtBarrier &&
         static_cast<std::uint32_t>(state) == phase_.load(std::memory_order_relaxed);
}

bool Block::is_stuck() {
  std::vector<std::uint64_t> states;
  bool anyone_waits = false;
  bool anyone_runs = false;
  for (const Thread& thread : threads_) {
    const std::uint64_t state = thread.state.load(std::memory_order_relaxed);
    states.push_back(state);
    anyone_waits |= waits(state);
    anyone_runs |= !waits(state) && doing_of(state) != Doing::kEnded;
  }
  // Seen one after the other, not at once; equal twice in a row means that all waited at the moment in between.
  const bool unchanged = states == last_states_;
  last_states_ = std::move(states);
  return unchanged && anyone_waits && !anyone_runs && nobody_is_about_to_move();
}

// A busy machine may hold up for seconds the thread that has arrived last, before it has released the others, or one
// that has been released and has not noticed.
bool Block::nobody_is_about_to_move() {
  std::uint32_t at_barrier = 0;
  for (const Thread& thread : threads_) {
    const Doing doing = doing_of(thread.state.load(std::memory_order_relaxed));
    at_barrier += doing == Doing::kAtBarrier ? 1 : 0;
    if (doing != Doing::kInWarp) continue;
    Warp& warp = warps_[thread.index / kWarpSize];
    const std::lock_guard lock(warp.mutex);
    if (warp.waiting[thread.index % kWarpSize] == nullptr) return false;
  }
  const std::uint64_t now = barrier_.load(std::memory_order_relaxed);
  return at_barrier == arrived_of(now) && arrived_of(now) < expected_of(now);
}

std::string Block::describe_waits() {
  std::string text;
  unsigned at_barrier = 0;
  unsigned ended = 0;
  for (const Thread& thread : threads_) {
    const std::uint64_t state = thread.state.load(std::memory_order_relaxed);
    at_barrier += doing_of(state) == Doing::kAtBarrier && waits(state) ? 1 : 0;
    ended += doing_of(state) == Doing::kEnded ? 1 : 0;
  }
  text += std::to_string(at_barrier) + " threads at sync_threads, " + std::to_string(ended) + " ended";
  for (unsigned w = 0; w < warps_.size(); ++w) {
    Warp& warp = warps_[w];
    const std::lock_guard lock(warp.mutex);
    unsigned present = 0;
    for (unsigned lane = 0; lane < kWarpSize; ++lane) present |= warp.waiting[lane] != nullptr ? 1u << lane : 0u;
    unsigned told = 0;
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      const LaneRequest* request = warp.waiting[lane];
      if (request == nullptr || ((told >> lane) & 1u) != 0) continue;
      told |= request->mask;
      text += ", warp " + std::to_string(w) + " lanes " + list_of_lanes(request->mask & present) + " in " +
              name_of(request->operation) + " without lanes " + list_of_lanes(request->mask & ~present);
    }
  }
  return text;
}

void Block::abort(std::exception_ptr failure) {
  {
    const std::lock_guard lock(failure_mutex_);
    if (failure_ == nullptr) failure_ = std::move(failure);
  }
  aborted_.store(true, std::memory_order_release);
  phase_.fetch_add(1, std::memory_order_release);
  futex_wake_all(phase_);
  for (Warp& warp : warps_) {
    warp.wakes.fetch_add(1, std::memory_order_release);
    futex_wake_all(warp.wakes);
  }
}

void Block::rethrow_failure() {
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  unsigned barriers = 0;
  for (const Thread& thread : threads_) barriers = std::max(barriers, thread.barriers);
  for (const Thread& thread : threads_) {
    if (thread.barriers == barriers) continue;
    fail("warp " + std::to_string(thread.index / kWarpSize) + ": thread " + std::to_string(thread.index) +
         " left early: expected " + std::to_string(barriers) + " calls of sync_threads as other threads make, got " +
         std::to_string(thread.barriers) + "; every thread of a block must reach every barrier");
  }
}

void Block::throw_if_aborted() const {
  if (aborted_.load(std::memory_order_acquire)) throw Aborted{};
}

void Block::fail(const std::string& what) const { throw EmulatorError("emulator: " + place() + ": " + what); }

std::string Block::place() const { return std::string(kernel_name_) + ": block " + std::to_string(index_); }

unsigned current_lane() { return calling_thread("shuffle").index % kWarpSize; }

void exchange(WarpOperation operation, unsigned mask, unsigned source, const void* value, void* result,
              std::size_t bytes) {
  Thread& self = calling_thread(name_of(operation));
  self.block->exchange(self, operation, mask, source, value, result, bytes);
}

void fail_shared_index(long long index, int size) {
  const Thread& self = calling_thread("SharedArray");
  self.block->fail("thread " + std::to_string(self.index) + ": shared array: expected an index in [0, " +
                   std::to_string(size) + "), got " + std::to_string(index));
}

bool inside_kernel() { return current_thread != nullptr; }

}  // namespace selfnorm::emulator::engine

namespace selfnorm::emulator {

Dim thread_index() { return {engine::calling_thread("thread_index").index, 0, 0}; }
Dim block_index() { return {engine::calling_thread("block_index").block->index(), 0, 0}; }
Dim block_size() { return {engine::calling_thread("block_size").block->threads()}; }
Dim grid_size() { return {engine::calling_thread("grid_size").block->grid()}; }

void sync_threads() {
  engine::Thread& self = engine::calling_thread("sync_threads");
  self.block->sync_threads(self);
}

void sync_warp(unsigned mask) { engine::exchange(engine::WarpOperation::kSyncWarp, mask, 0, nullptr, nullptr, 0); }

unsigned ballot(unsigned mask, bool predicate) {
  std::uint32_t votes = predicate ? 1 : 0;
  engine::exchange(engine::WarpOperation::kBallot, mask, 0, &votes, &votes, sizeof votes);
  return votes;
}

}  // namespace selfnorm::emulator
