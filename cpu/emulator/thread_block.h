// The emulator: runs a kernel with one fiber per CUDA thread, one block after another, so that ASan, UBSan and TSan can
// look at device code on a machine without a GPU. Threads take turns at barriers and warp operations only, in a fixed
// order. This is all that portable.h needs of it; tests only. What CUDA leaves undefined (a lost barrier, lanes that
// disagree) is an EmulatorError on the launching thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <type_traits>

#include "emulator/shared_array.h"

namespace selfnorm::emulator {

/** A fault of the kernel under test. The message names kernel and block, and warp or thread where one is at fault. */
class EmulatorError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Dim {
  unsigned x;
  unsigned y = 1;
  unsigned z = 1;
};

/** threadIdx, blockIdx, blockDim, gridDim of the calling CUDA thread; only x is used, so an index has y = z = 0. */
Dim thread_index();
Dim block_index();
Dim block_size();
Dim grid_size();

/** `__syncthreads()`. A thread that ends counts as arrived, so that the block can go on, and is reported afterwards. */
void sync_threads();

/** `__syncwarp(mask)`: waits for the lanes of `mask`; lanes beyond a partial last warp are ignored. */
void sync_warp(unsigned mask = ~0u);

/** `__ballot_sync(mask, predicate)`: bit i is lane i's predicate; 0 for lanes outside `mask`. */
unsigned ballot(unsigned mask, bool predicate);

enum class Order { kForward, kReverse, kShuffled };

/** Order of blocks in later launches, and of the threads of a block that start; `seed` picks kShuffled's. Starts as
 * kForward. */
void set_order(Order order, std::uint32_t seed = 1);

/** Most processor time a launch may take before it is called endless, which ends the process. */
void set_watchdog(std::chrono::milliseconds limit);
inline constexpr std::chrono::milliseconds kDefaultWatchdog{60'000};

namespace engine {

enum class WarpOperation { kSyncWarp, kShuffleDown, kShuffleXor, kShuffle, kBallot, kGather };
inline constexpr std::size_t kLaneBytes = 24;

unsigned current_lane();

/** One warp-wide operation: gives lane_value of lane `source` in `result`, poison when that lane takes no part. */
void exchange(WarpOperation operation, unsigned mask, unsigned source, const void* value, void* result,
              std::size_t bytes);

/** The whole warp at once: `from` of every lane, `bytes` each, to `to` of every lane in the lanes' order. Returns the
 * lane. */
unsigned gather(const void* from, void* to, std::size_t bytes);

using KernelBody = void (*)(void* body);
void run_grid(const char* kernel_name, unsigned grid, unsigned block, KernelBody call, void* body);

template <class T>
T shuffle_from(WarpOperation operation, unsigned mask, T value, unsigned source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kLaneBytes);
  exchange(operation, mask, source, std::addressof(value), std::addressof(value), sizeof(T));
  return value;
}

}  // namespace engine

/** `__shfl_down_sync`: the value of lane + delta, the lane's own past lane 31. A lane that is not in `mask` or not in
    the block gives NaN poison, where CUDA gives an undefined value. */
template <class T>
T shuffle_down(unsigned mask, T value, unsigned delta) {
  const unsigned lane = engine::current_lane();
  const unsigned source = delta < 32 - lane ? lane + delta : lane;
  return engine::shuffle_from(engine::WarpOperation::kShuffleDown, mask, value, source);
}

/** `__shfl_xor_sync`: the value of lane ^ lane_mask. */
template <class T>
T shuffle_xor(unsigned mask, T value, unsigned lane_mask) {
  const unsigned source = engine::current_lane() ^ (lane_mask & 31u);
  return engine::shuffle_from(engine::WarpOperation::kShuffleXor, mask, value, source);
}

/** `__shfl_sync`: the value of lane `lane` mod 32. */
template <class T>
T shuffle(unsigned mask, T value, unsigned lane) {
  return engine::shuffle_from(engine::WarpOperation::kShuffle, mask, value, lane & 31u);
}

/** Gives every lane of a full warp the values of all of them, and returns the calling lane: what a warp-wide
   instruction knows (mma, ldmatrix). */
template <class T>
unsigned gather(const T& value, T (&all)[32]) {
  static_assert(std::is_trivially_copyable_v<T>);
  return engine::gather(std::addressof(value), all, sizeof(T));
}

/**
 * Runs body() as every thread of every block, returning when all are done. An exception of any thread ends the
 * launch and is thrown here. At most 1024 threads a block; a grid of 0 blocks does nothing. Launches from several
 * host threads take turns: shared memory is static.
 */
template <class F>
void launch(const char* kernel_name, unsigned grid, unsigned block, F&& body) {
  using Body = std::remove_reference_t<F>;
  void* erased = const_cast<void*>(static_cast<const void*>(std::addressof(body)));
  engine::run_grid(
      kernel_name, grid, block, [](void* kernel) { (*static_cast<Body*>(kernel))(); }, erased);
}

}  // namespace selfnorm::emulator
