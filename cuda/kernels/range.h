// Which elements a CUDA thread works on. The only file that names threadIdx and its kin: on the CPU a thread gets one
// contiguous chunk with step 1, so that loops vectorise; on the GPU and in the emulator it strides.
#pragma once

#include "portable.h"

#if !SN_GPU && !SN_EMULATOR
namespace selfnorm {
// Set by the CPU launcher around each block; one copy for all flavours, since it is data and not code.
struct CpuBlock {
  int64_t index = 0;
  int64_t count = 1;
};
extern thread_local CpuBlock cpu_block;
}  // namespace selfnorm
#endif

namespace selfnorm::SN_BUILD {

#if SN_GPU
SN_DEVICE int64_t thread_index() { return threadIdx.x; }
SN_DEVICE int64_t thread_count() { return blockDim.x; }
SN_DEVICE int64_t block_index() { return blockIdx.x; }
SN_DEVICE int64_t block_count() { return gridDim.x; }
SN_DEVICE void sync_threads() { __syncthreads(); }
// CUDA shuffles numbers; a struct goes word by word.
template <class T>
SN_DEVICE T shuffle_down(unsigned mask, T value, unsigned delta) {
  if constexpr (std::is_arithmetic_v<T>) {
    return __shfl_down_sync(mask, value, delta);
  } else {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint32_t) == 0);
    struct Words {
      uint32_t words[sizeof(T) / sizeof(uint32_t)];
    };
    Words all = bit_copy<Words>(value);
    SN_UNROLL
    for (uint32_t& word : all.words) word = __shfl_down_sync(mask, word, delta);
    return bit_copy<T>(all);
  }
}
#elif SN_EMULATOR
inline int64_t thread_index() { return emulator::thread_index().x; }
inline int64_t thread_count() { return emulator::block_size().x; }
inline int64_t block_index() { return emulator::block_index().x; }
inline int64_t block_count() { return emulator::grid_size().x; }
inline void sync_threads() { emulator::sync_threads(); }
template <class T>
T shuffle_down(unsigned mask, T value, unsigned delta) {
  return emulator::shuffle_down(mask, value, delta);
}
#else
inline int64_t thread_index() { return 0; }
inline int64_t thread_count() { return 1; }
inline int64_t block_index() { return cpu_block.index; }
inline int64_t block_count() { return cpu_block.count; }
inline void sync_threads() {}
#endif

#if SN_GPU || SN_EMULATOR
struct Range {
  int64_t begin, end, step;
};
#else
struct Range {
  int64_t begin, end;
  static constexpr int64_t step = 1;
};

// Chunks are multiples of 64 elements: two workers never write one cache line, and vector loops start aligned.
inline Range cpu_chunk(int64_t n, int64_t granule) {
  const int64_t granules = (n + granule - 1) / granule;
  const int64_t begin = granules * cpu_block.index / cpu_block.count * granule;
  const int64_t end = granules * (cpu_block.index + 1) / cpu_block.count * granule;
  return {begin < n ? begin : n, end < n ? end : n};
}
#endif

// This thread's share of n elements, over the whole grid.
SN_DEVICE Range grid_range(int64_t n) {
#if SN_GPU || SN_EMULATOR
  return {block_index() * thread_count() + thread_index(), n, block_count() * thread_count()};
#else
  return cpu_chunk(n, 64);
#endif
}

// This block's share of n groups (rows, chunks): the same for every thread of the block, so barriers inside are safe.
SN_DEVICE Range group_range(int64_t n) {
#if SN_GPU || SN_EMULATOR
  return {block_index(), n, block_count()};
#else
  return cpu_chunk(n, 1);
#endif
}

// This thread's share of n elements that the block works on together.
SN_DEVICE Range block_range(int64_t n) {
#if SN_GPU || SN_EMULATOR
  return {thread_index(), n, thread_count()};
#else
  return {0, n};
#endif
}

}  // namespace selfnorm::SN_BUILD
