// Launches a kernel in the emulator: as many threads a block as the test asks for, few blocks, so that every kernel has
// to stride.
#pragma once

#include <algorithm>

#include "../../../cuda/kernels/range.h"
#include "queue.h"

namespace selfnorm::SN_BUILD {

struct Grid {
  int64_t units;
  int64_t units_per_block;  // 0: a whole block a unit
};

inline Grid elements(int64_t n, int64_t /*cost*/, int pack = 1) { return {n, pack}; }
inline Grid groups(int64_t n, int64_t /*cost*/, int64_t /*widest*/ = 0) { return {n, 0}; }

// Kernels of a fixed shape: as many blocks and threads as they need, whatever the test asks for.
struct TileGrid {
  int64_t blocks;
  int threads;
  int shared_bytes;
};
inline constexpr int64_t kMostTiles = (int64_t(1) << 31) - 1;

template <class... Parameters, class... Arguments>
void launch(Queue&, TileGrid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  emulator::launch(__PRETTY_FUNCTION__, unsigned(grid.blocks), unsigned(grid.threads), [&] { kernel(arguments...); });
}

template <class... Parameters, class... Arguments>
void launch(Queue& queue, Grid grid, void (*kernel)(Parameters...), Arguments... arguments) {
  if (grid.units == 0) return;
  const int64_t per_block = grid.units_per_block == 0 ? 1 : grid.units_per_block * queue.block;
  const int64_t needed = (grid.units + per_block - 1) / per_block;
  const auto blocks = unsigned(std::min<int64_t>(needed, queue.most_blocks));
  // The launcher's signature names the kernel's template arguments.
  emulator::launch(__PRETTY_FUNCTION__, blocks, unsigned(queue.block), [&] { kernel(arguments...); });
}

}  // namespace selfnorm::SN_BUILD
