// Matrix product for Hopper (sm_90a), float16 and bfloat16: one warpgroup lets TMA fill a ring of stages, two multiply
// by wgmma straight from shared memory, and as many blocks as the GPU has multiprocessors take tile after tile, so that
// the ring fills for the next tile while the last one's epilogue runs. All transposes: wgmma reads operands either way
// round.
#pragma once

#include "hopper.h"
#include "matmul_mma.cuh"

namespace selfnorm::SN_BUILD {

// Halves: 128 columns each.
template <int Halves, int Stages>
struct WgmmaTile {
  static constexpr int kRows = 128, kColumns = 128 * Halves, kHalves = Halves, kStages = Stages;
  static constexpr int kDepth = 64, kMultipliers = kRows / 64;
  static constexpr int kThreads = kWarpgroup * (1 + kMultipliers);
  static constexpr int kBytesA = kRows * kDepth * 2, kBytesB = kColumns * kDepth * 2, kStageBytes = kBytesA + kBytesB;
  // A multiplier's sums, 64 x 128, on the way to the epilogue; padded as MmaTile's.
  static constexpr int kSumRow = 128 + 8, kSumBytes = 64 * kSumRow * 4;
  // Swizzled atoms begin at multiples of 1 KiB.
  static constexpr int kAlignment = 1024;
  static constexpr int kBytes = kAlignment + Stages * (kStageBytes + 16) + kMultipliers * kSumBytes;
};
using SquareWgmmaTile = WgmmaTile<1, 4>;
using BroadWgmmaTile = WgmmaTile<2, 3>;

// Boxes of TMA are 64 elements, 128 bytes, of the inner axis by this many of the other.
template <bool DepthInner>
constexpr int box_lines(int extent) {
  return DepthInner ? extent : 64;
}

struct WgmmaProblem {
  int m, n, k, batch;
  bool shared_a, shared_b;  // one matrix for all batches
};

// Where the stages and their barriers lie in shared memory.
template <class Tile>
struct WgmmaRing {
  SharedAddress stages;

  SN_DEVICE SharedAddress a(int stage) const { return stages + stage * Tile::kStageBytes; }
  SN_DEVICE SharedAddress b(int stage) const { return a(stage) + Tile::kBytesA; }
  SN_DEVICE SharedAddress sums(int multiplier) const { return a(Tile::kStages) + multiplier * Tile::kSumBytes; }
  SN_DEVICE SharedAddress full(int stage) const { return sums(Tile::kMultipliers) + stage * 8; }
  SN_DEVICE SharedAddress empty(int stage) const { return full(Tile::kStages) + stage * 8; }
};

// A place in the ring: the stage, and the parity of the round.
template <class Tile>
struct RingPlace {
  int stage = 0, parity = 0;
  SN_DEVICE void next() {
    stage = stage + 1 == Tile::kStages ? 0 : stage + 1;
    parity ^= stage == 0;
  }
};

// Extent rows or columns of an operand by kDepth, in boxes.
template <bool DepthInner, int Extent>
SN_DEVICE void copy_operand(SharedAddress to, const CUtensorMap& map, SharedAddress barrier, int depth, int at,
                            int batch) {
  if constexpr (DepthInner) {
    copy_box(to, map, barrier, depth, at, batch);
  } else {
    SN_UNROLL
    for (int first = 0; first < Extent; first += 64) {
      copy_box(to + first * 128, map, barrier, at + first, depth, batch);
    }
  }
}

template <class Tile, bool TransposeA, bool TransposeB>
SN_DEVICE void produce(const WgmmaRing<Tile>& ring, const CUtensorMap& map_a, const CUtensorMap& map_b,
                       const WgmmaProblem& p, int64_t tiles) {
  RingPlace<Tile> place{0, 1};  // every stage is empty at first
  for (int64_t tile = block_index(); tile < tiles; tile += block_count()) {
    const TilePlace at = place_of<Tile>(tile, p.m, p.n);
    const int batch_a = p.shared_a ? 0 : int(at.batch), batch_b = p.shared_b ? 0 : int(at.batch);
    for (int depth = 0; depth < p.k; depth += Tile::kDepth) {
      wait(ring.empty(place.stage), place.parity);
      const SharedAddress full = ring.full(place.stage);
      arrive_and_expect(full, Tile::kStageBytes);
      copy_operand<!TransposeA, Tile::kRows>(ring.a(place.stage), map_a, full, depth, int(at.row), batch_a);
      copy_operand<TransposeB, Tile::kColumns>(ring.b(place.stage), map_b, full, depth, int(at.column), batch_b);
      place.next();
    }
  }
}

// sums (+)= one stage of this multiplier's 64 rows.
template <class T, class Tile, bool TransposeA, bool TransposeB>
SN_DEVICE void multiply_wide_stage(WideSums (&sums)[Tile::kHalves], SharedAddress a, SharedAddress b, int multiplier,
                                   bool accumulate) {
  // 64 rows of depth, or 64 columns of 64 lines: 8 KiB either way.
  constexpr int kBlock = 64 * 128;
  SN_UNROLL
  for (int step = 0; step < Tile::kDepth / 16; ++step) {
    // Sixteen of depth are 32 bytes of a line, or two atoms of eight lines.
    const int along_a = step * (TransposeA ? 2048 : 32), along_b = step * (TransposeB ? 32 : 2048);
    const uint64_t left = describe_operand<!TransposeA>(a + multiplier * kBlock + along_a, kBlock);
    SN_UNROLL
    for (int half = 0; half < Tile::kHalves; ++half) {
      const uint64_t right = describe_operand<TransposeB>(b + half * 2 * kBlock + along_b, kBlock);
      multiply_wide<T, TransposeA, !TransposeB>(sums[half], left, right, accumulate || step > 0);
    }
  }
}

template <class Tile, class Epilogue>
SN_DEVICE void finish_wide(const Epilogue& epilogue, const WideSums& sums, SharedAddress staged, const WgmmaProblem& p,
                           const TilePlace& place, int multiplier, int thread) {
  const int warp = thread / kLanes, lane = thread % kLanes;
  SN_UNROLL
  for (int j = 0; j < 16; ++j) {
    const int at = (warp * 16 + lane / 4) * Tile::kSumRow + j * 8 + lane % 4 * 2;
    store_shared(staged + at * 4, sums[j][0], sums[j][1]);
    store_shared(staged + (at + 8 * Tile::kSumRow) * 4, sums[j][2], sums[j][3]);
  }
  sync_warpgroup(1 + multiplier);
  constexpr int kColumns = 128, kRowQuads = kColumns / kQuad;
  ColumnSums columns;
  SN_ROLLED
  for (int at = thread; at < 64 * kRowQuads; at += kWarpgroup) {
    const int row = at / kRowQuads, right = at % kRowQuads * kQuad;
    const int64_t y = place.row + multiplier * 64 + row, x = place.column + right;
    if (y >= p.m || x >= p.n) continue;
    float values[kQuad];
    load_shared(values, staged + (row * Tile::kSumRow + right) * 4);
    const int count = p.n - x < kQuad ? int(p.n - x) : kQuad;
    finish_quad(epilogue, (place.batch * p.m + y) * p.n + x, x, count, values);
    if constexpr (Epilogue::kSumsColumns) columns.add(values, count);
  }
  if constexpr (Epilogue::kSumsColumns) {
    if (epilogue.partials != nullptr) {
      const int64_t tile = place.batch * tiles_down<Tile>(p.m) + place.row / Tile::kRows;
      float* const to = epilogue.partials + (tile * Tile::kMultipliers + multiplier) * p.n;
      store_column_sums<kWarpgroup, kColumns>(columns, staged, to, place.column, p.n, thread,
                                              [=] { sync_warpgroup(1 + multiplier); });
      return;
    }
  }
  sync_warpgroup(1 + multiplier);
}

template <class Tile, bool TransposeA, bool TransposeB, class Epilogue>
SN_DEVICE void multiply_tiles(const WgmmaRing<Tile>& ring, const WgmmaProblem& p, const Epilogue& epilogue,
                              int64_t tiles, int multiplier, int thread) {
  using T = typename Epilogue::Value;
  RingPlace<Tile> place;
  const auto leave = [&](int stage) {
    if (thread == 0) arrive(ring.empty(stage));
  };
  for (int64_t tile = block_index(); tile < tiles; tile += block_count()) {
    WideSums sums[Tile::kHalves];
    int before = -1;
    for (int depth = 0; depth < p.k; depth += Tile::kDepth) {
      wait(ring.full(place.stage), place.parity);
      begin_products();
      multiply_wide_stage<T, Tile, TransposeA, TransposeB>(sums, ring.a(place.stage), ring.b(place.stage), multiplier,
                                                           depth > 0);
      commit_products();
      // One group stays in flight; the stage of the one before it is done with.
      wait_products<1>();
      if (before >= 0) leave(before);
      before = place.stage;
      place.next();
    }
    wait_products<0>();
    leave(before);
    TilePlace at = place_of<Tile>(tile, p.m, p.n);
    SN_UNROLL
    for (int half = 0; half < Tile::kHalves; ++half) {
      finish_wide<Tile>(epilogue, sums[half], ring.sums(multiplier), p, at, multiplier, thread);
      at.column += 128;
    }
  }
}

// Tile::kThreads threads, Tile::kBytes of shared memory, any number of blocks. k is at least 1.
template <bool TransposeA, bool TransposeB, class Tile, class Epilogue>
__global__ void __launch_bounds__(Tile::kThreads, 1)
    matmul_wgmma_kernel(const __grid_constant__ CUtensorMap map_a, const __grid_constant__ CUtensorMap map_b,
                        WgmmaProblem problem, Epilogue epilogue) {
  SN_LARGE_SHARED(memory, Tile::kBytes);
  const SharedAddress first = shared_address(memory);
  const WgmmaRing<Tile> ring{(first + Tile::kAlignment - 1) / Tile::kAlignment * Tile::kAlignment};
  const int thread = int(thread_index());
  if (thread == 0) {
    prefetch_map(map_a);
    prefetch_map(map_b);
    for (int stage = 0; stage < Tile::kStages; ++stage) {
      init_barrier(ring.full(stage), 1);
      init_barrier(ring.empty(stage), Tile::kMultipliers);
    }
    publish_barriers();
  }
  sync_threads();
  const int64_t tiles = tile_count<Tile>(problem.m, problem.n, problem.batch);
  if (thread < kWarpgroup) {
    keep_registers<24>();
    if (thread == 0) produce<Tile, TransposeA, TransposeB>(ring, map_a, map_b, problem, tiles);
  } else {
    take_registers<240>();
    multiply_tiles<Tile, TransposeA, TransposeB>(ring, problem, epilogue, tiles, thread / kWarpgroup - 1,
                                                 thread % kWarpgroup);
  }
}

}  // namespace selfnorm::SN_BUILD
