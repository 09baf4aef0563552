// The threads of a block take turns: one runs until it waits or ends. Here are the barrier, the warp operations, and
// the diagnosis of a block that cannot go on.
#include "emulator/block.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

namespace selfnorm::emulator::engine {

namespace {

/** Unwinds the threads of a block that has failed; never leaves the emulator. */
struct Aborted {};

// Atomic, because every fiber of this OS thread reads what its resumer wrote, and TSan takes fibers for threads.
thread_local std::atomic<Thread*> current_thread{nullptr};

Thread& calling_thread(const char* caller) {
  Thread* const thread = current_thread.load(std::memory_order_relaxed);
  if (thread == nullptr) {
    throw EmulatorError(std::string("emulator: ") + caller +
                        ": expected a call inside a kernel, got one outside; use launch");
  }
  return *thread;
}

const char* name_of(WarpOperation operation) {
  switch (operation) {
    case WarpOperation::kSyncWarp: return "sync_warp";
    case WarpOperation::kShuffleDown: return "shuffle_down";
    case WarpOperation::kShuffleXor: return "shuffle_xor";
    case WarpOperation::kShuffle: return "shuffle";
    case WarpOperation::kBallot: return "ballot";
    case WarpOperation::kGather: return "gather";
  }
  return "warp operation";
}

/** What a lane brings to a gather: addresses, since its value may be of any size. */
struct Gather {
  const void* from;
  void* to;
  std::size_t bytes;
};
static_assert(sizeof(Gather) <= kLaneBytes);

Gather of_gather(const LaneRequest& request) {
  Gather gather;
  std::memcpy(&gather, request.value, sizeof(gather));
  return gather;
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

}  // namespace

Block::Block(const char* kernel_name, unsigned grid, unsigned threads, std::deque<Fiber>& fibers, KernelBody call,
             void* body)
    : kernel_name_(kernel_name),
      grid_(grid),
      call_(call),
      body_(body),
      threads_(threads),
      warps_((threads + kWarpSize - 1) / kWarpSize) {
  for (unsigned t = 0; t < threads; ++t) {
    threads_[t].block = this;
    threads_[t].fiber = &fibers[t];
    threads_[t].index = t;
  }
}

void Block::run(unsigned index, const std::vector<unsigned>& order) {
  const Unwatched unwatched;
  index_ = index;
  running_ = threads();
  for (Warp& warp : warps_) warp.ended = 0;
  for (Thread& thread : threads_) {
    thread.barriers = 0;
    thread.doing = Doing::kIdle;
  }
  for (const unsigned t : order) {
    if (failure_ == nullptr) start(threads_[t]);
  }
  while (!ready_.empty() && failure_ == nullptr) {
    Thread& next = *ready_.front();
    ready_.pop_front();
    resume(next);
  }
  if (failure_ == nullptr && running_ > 0) {
    failure_ = std::make_exception_ptr(
        EmulatorError("emulator: " + place() + ": deadlock: every thread waits: " + describe_waits()));
  }
  if (failure_ != nullptr) {
    // Who has begun and not ended waits, and is unwound by an exception.
    for (Thread& thread : threads_) {
      if (thread.doing != Doing::kIdle && thread.doing != Doing::kEnded) resume(thread);
    }
  }
  end_.take();
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  check_all_reached_every_barrier();
}

void Block::start(Thread& thread) {
  current_thread.store(&thread, std::memory_order_relaxed);
  thread.doing = Doing::kRunning;
  thread.fiber->start(
      [](void* argument) {
        Thread& self = *static_cast<Thread*>(argument);
        self.block->play(self);
      },
      &thread);
  current_thread.store(nullptr, std::memory_order_relaxed);
}

void Block::resume(Thread& thread) {
  current_thread.store(&thread, std::memory_order_relaxed);
  thread.fiber->resume();
  current_thread.store(nullptr, std::memory_order_relaxed);
}

void Block::play(Thread& self) {
  try {
    call_(body_);
    end(self);
  } catch (const Aborted&) {
  } catch (...) {
    const Unwatched unwatched;
    if (failure_ == nullptr) failure_ = std::current_exception();
  }
  const Unwatched unwatched;
  self.doing = Doing::kEnded;
  end_.give();
}

void Block::wait(Thread& self, Doing doing) {
  self.doing = doing;
  self.fiber->yield();
  if (failure_ != nullptr) throw Aborted{};
}

void Block::end(Thread& self) {
  const Unwatched unwatched;
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[warp_index];
  warp.ended |= 1u << lane;
  for (unsigned other = 0; other < kWarpSize; ++other) {
    const LaneRequest* const request = warp.waiting[other];
    if (request == nullptr || ((request->mask >> lane) & 1u) == 0) continue;
    fail("warp " + std::to_string(warp_index) + ": " + name_of(request->operation) + ": expected lanes " +
         list_of_lanes(request->mask) + " to arrive as lane " + std::to_string(other) +
         " named them, got the end of lane " + std::to_string(lane) + "; name only lanes that take part");
  }
  --running_;
  open_barrier_when_all_are_there();
}

void Block::sync_threads(Thread& self) {
  const Unwatched unwatched;
  ++self.barriers;
  const unsigned phase = phase_;
  Edge& edge = barrier_edges_[phase % 2];
  edge.give();
  ++at_barrier_;
  open_barrier_when_all_are_there();
  if (phase_ == phase) wait(self, Doing::kAtBarrier);
  edge.take();
}

void Block::open_barrier_when_all_are_there() {
  if (at_barrier_ < running_ || at_barrier_ == 0) return;
  at_barrier_ = 0;
  ++phase_;
  for (Thread& thread : threads_) {
    if (thread.doing == Doing::kAtBarrier) make_ready(thread);
  }
}

void Block::make_ready(Thread& thread) {
  thread.doing = Doing::kRunning;
  ready_.push_back(&thread);
}

void Block::exchange(Thread& self, WarpOperation operation, unsigned mask, unsigned source, const void* value,
                     void* result, std::size_t bytes) {
  const Unwatched unwatched;
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[warp_index];
  LaneRequest request{operation, mask & lanes_of(warp_index), source, bytes};
  if (bytes > 0) std::memcpy(request.value, value, bytes);
  check_arrival(warp, warp_index, lane, request);
  request.meeting = &meeting_of(warp, request.mask);
  ++request.meeting->lanes;
  // A gather stands for mma and ldmatrix, which do not promise that the lanes' writes are seen.
  const bool orders = operation != WarpOperation::kGather;
  if (orders) request.meeting->edge.give();
  warp.waiting[lane] = &request;
  if (!complete(warp, warp_index, request.mask)) wait(self, Doing::kInWarp);
  if (orders) request.meeting->edge.take();
  --request.meeting->lanes;
  if (bytes > 0) std::memcpy(result, request.result, bytes);
}

Meeting& Block::meeting_of(Warp& warp, unsigned mask) {
  for (const LaneRequest* const request : warp.waiting) {
    if (request != nullptr && request->mask == mask) return *request->meeting;
  }
  for (Meeting& meeting : warp.meetings) {
    if (meeting.lanes == 0) return meeting;
  }
  return warp.meetings.emplace_back();
}

void Block::check_arrival(const Warp& warp, unsigned warp_index, unsigned lane, const LaneRequest& request) const {
  const std::string where = "warp " + std::to_string(warp_index) + ": " + name_of(request.operation) + ": ";
  if (request.operation == WarpOperation::kGather && request.mask != ~0u) {
    fail(where + "expected a full warp, got lanes " + list_of_lanes(request.mask));
  }
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
    const LaneRequest* const waiting = warp.waiting[other];
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
    const bool same_gather =
        request->operation != WarpOperation::kGather || of_gather(*request).bytes == of_gather(*first).bytes;
    if (request->operation != first->operation || request->bytes != first->bytes || !same_gather) {
      fail("warp " + std::to_string(warp_index) + ": lane " + std::to_string(lane) + ": expected " +
           name_of(first->operation) + " of " + std::to_string(first->bytes) + " bytes as the first lane calls, got " +
           name_of(request->operation) + " of " + std::to_string(request->bytes) +
           "; give every lane of the mask the same operation");
    }
  }
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if (((mask >> lane) & 1u) == 0) continue;
    LaneRequest& request = *warp.waiting[lane];
    if (request.operation == WarpOperation::kGather) {
      for (unsigned source = 0; source < kWarpSize; ++source) {
        const Gather from = of_gather(*warp.waiting[source]);
        std::memcpy(static_cast<std::byte*>(of_gather(request).to) + source * from.bytes, from.from, from.bytes);
      }
    } else if (request.operation == WarpOperation::kBallot) {
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
    warp.waiting[lane] = nullptr;
    Thread& thread = threads_[warp_index * kWarpSize + lane];
    if (thread.doing == Doing::kInWarp) make_ready(thread);  // the one that came last goes on by itself
  }
  return true;
}

unsigned Block::lanes_of(unsigned warp) const {
  const unsigned lanes = std::min(kWarpSize, threads() - warp * kWarpSize);
  return lanes == kWarpSize ? ~0u : (1u << lanes) - 1u;
}

std::string Block::describe_waits() const {
  std::string text;
  unsigned at_barrier = 0;
  unsigned ended = 0;
  for (const Thread& thread : threads_) {
    at_barrier += thread.doing == Doing::kAtBarrier ? 1 : 0;
    ended += thread.doing == Doing::kEnded ? 1 : 0;
  }
  text += std::to_string(at_barrier) + " threads at sync_threads, " + std::to_string(ended) + " ended";
  for (unsigned w = 0; w < warps_.size(); ++w) {
    const Warp& warp = warps_[w];
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

void Block::check_all_reached_every_barrier() const {
  unsigned barriers = 0;
  for (const Thread& thread : threads_) barriers = std::max(barriers, thread.barriers);
  for (const Thread& thread : threads_) {
    if (thread.barriers == barriers) continue;
    fail("warp " + std::to_string(thread.index / kWarpSize) + ": thread " + std::to_string(thread.index) +
         " left early: expected " + std::to_string(barriers) + " calls of sync_threads as other threads make, got " +
         std::to_string(thread.barriers) + "; every thread of a block must reach every barrier");
  }
}

void Block::fail(const std::string& what) const { throw EmulatorError("emulator: " + place() + ": " + what); }

std::string Block::place() const { return std::string(kernel_name_) + ": block " + std::to_string(index_); }

unsigned current_lane() { return calling_thread("shuffle").index % kWarpSize; }

void exchange(WarpOperation operation, unsigned mask, unsigned source, const void* value, void* result,
              std::size_t bytes) {
  Thread& self = calling_thread(name_of(operation));
  self.block->exchange(self, operation, mask, source, value, result, bytes);
}

unsigned gather(const void* from, void* to, std::size_t bytes) {
  const unsigned lane = current_lane();
  Gather request{from, to, bytes};
  exchange(WarpOperation::kGather, ~0u, lane, &request, &request, sizeof request);
  return lane;
}

void fail_shared_index(long long index, int size) {
  const Thread& self = calling_thread("SharedArray");
  self.block->fail("thread " + std::to_string(self.index) + ": shared array: expected an index in [0, " +
                   std::to_string(size) + "), got " + std::to_string(index));
}

bool inside_kernel() { return current_thread.load(std::memory_order_relaxed) != nullptr; }

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
