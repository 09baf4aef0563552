// Launches a kernel on the queue's stream.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>

#include "../kernels/reduce.h"
#include "queue.h"

namespace selfnorm::SN_BUILD {

struct Grid {
  int64_t blocks;  // 0: nothing to do
  int block;
};

// Every kernel strides over its grid, so the number of blocks is a matter of speed alone.
inline constexpr int64_t kMostBlocks = int64_t(1) << 20;

// n elements, `pack` of them a thread and load; `cost` (flops an element) matters to the CPU only.
inline Grid elements(int64_t n, int64_t /*cost*/, int pack = 1) {
  const int64_t threads = (n + pack - 1) / pack;
  return {std::min((threads + kMaxBlock - 1) / kMaxBlock, kMostBlocks), kMaxBlock};
}

// n groups, one a block at a time. `widest`: elements of a group, so that short groups get small blocks.
inline Grid groups(int64_t n, int64_t /*cost*/, int64_t widest = kMaxBlock) {
  int block = kWarp;
  while (block < kMaxBlock && block < widest) block *= 2;
  return {std::min(n, kMostBlocks), block};
}

// Exactly as many blocks and threads, and shared memory of the launch's (SN_LARGE_SHARED).
struct TileGrid {
  int64_t blocks;
  int threads;
  int shared_bytes;
};
inline constexpr int64_t kMostTiles = (int64_t(1) << 31) - 1;

// A kernel may use more than 48 KiB of shared memory when it was asked for, once a device.
void allow_shared_memory(Queue& queue, const void* kernel, int bytes);

template <class... Parameters, class... Arguments>
void launch(Queue& queue, TileGrid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.blocks == 0) return;
  queue.enqueue([&] {
    const auto* const function = reinterpret_cast<const void*>(kernel);
    allow_shared_memory(queue, function, grid.shared_bytes);
    const auto start = [&](Parameters... parameters) {
      void* addresses[] = {const_cast<void*>(static_cast<const void*>(&parameters))...};
      return cudaLaunchKernel(function, dim3(unsigned(grid.blocks)), dim3(unsigned(grid.threads)), addresses,
                              size_t(grid.shared_bytes), queue.stream());
    };
    check_cuda(start(arguments...), "kernel launch");
  });
}

template <class... Parameters, class... Arguments>
void launch(Queue& queue, Grid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.blocks == 0) return;
  queue.enqueue([&] {
    // The kernel reads its arguments through addresses, so each must have the parameter's own type.
    const auto start = [&](Parameters... parameters) {
      void* addresses[] = {const_cast<void*>(static_cast<const void*>(&parameters))...};
      return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(unsigned(grid.blocks)),
                              dim3(unsigned(grid.block)), addresses, 0, queue.stream());
    };
    check_cuda(start(arguments...), "kernel launch");
  });
}

}  // namespace selfnorm::SN_BUILD
