// Matrix product on tensor cores by mma.sync (sm_80 and newer): float32 rounded to TF32, float16 and bfloat16, summed
// in float32. A block makes one tile of the result: cp.async keeps a ring of stages ahead of the warps, which read
// fragments by ldmatrix. Any sizes, transposes and alignments: what lies outside is copied as zeros, and rows that are
// not aligned to 16 bytes are copied element by element. Each sum is added up in the order of depth by one warp.
#pragma once

#include "matmul_derivative.h"
#include "operand_tile.h"

namespace selfnorm::SN_BUILD {

template <class T>
struct MmaProblem {
  const T *a, *b;
  int64_t m, n, k;
  int64_t stride_a, stride_b;  // elements between the matrices of neighbouring batches
  bool wide_a, wide_b;         // rows and matrices begin at multiples of 16 bytes
};

template <int Rows, int Columns, int WarpRows, int WarpColumns, int Stages>
struct MmaTile {
  static constexpr int kRows = Rows, kColumns = Columns, kWarpRows = WarpRows, kWarpColumns = WarpColumns;
  static constexpr int kStages = Stages;
  static constexpr int kThreads = Rows / WarpRows * (Columns / WarpColumns) * kLanes;
  // Rows of sums are padded: two columns of eight rows, the words of half a warp, then lie in different banks.
  static constexpr int kSumRow = Columns + 8;
  static constexpr int kStageBytes = (Rows + Columns) * 64, kSumBytes = Rows * kSumRow * 4;
  static constexpr int kBytes = Stages * kStageBytes > kSumBytes ? Stages* kStageBytes : kSumBytes;
};
using LargeMmaTile = MmaTile<128, 128, 64, 32, 4>;
using SmallMmaTile = MmaTile<64, 64, 32, 32, 4>;

template <class Tile>
SN_HD int64_t tiles_down(int64_t m) {
  return (m + Tile::kRows - 1) / Tile::kRows;
}
template <class Tile>
SN_HD int64_t tiles_right(int64_t n) {
  return (n + Tile::kColumns - 1) / Tile::kColumns;
}
template <class Tile>
SN_HD int64_t tile_count(int64_t m, int64_t n, int64_t batch) {
  return tiles_down<Tile>(m) * tiles_right<Tile>(n) * batch;
}

struct TilePlace {
  int64_t batch, row, column;
};

// Neighbouring blocks share rows of b: eight tiles down before one to the right, so that the second-level cache holds
// what is read again.
template <class Tile>
SN_DEVICE TilePlace place_of(int64_t block, int64_t m, int64_t n) {
  constexpr int64_t kGroup = 8;
  const int64_t down = tiles_down<Tile>(m), right = tiles_right<Tile>(n);
  const int64_t batch = block / (down * right), tile = block % (down * right);
  const int64_t first = tile / (kGroup * right) * kGroup, within = tile % (kGroup * right);
  const int64_t rows = down - first < kGroup ? down - first : kGroup;
  return {batch, (first + within % rows) * Tile::kRows, within / rows * Tile::kColumns};
}

// A warp's part of the result.
template <class Tile>
struct WarpSums {
  static constexpr int kDown = Tile::kWarpRows / 16, kRight = Tile::kWarpColumns / 8;
  SumFragment at[kDown][kRight];
};

// sums += a b over one stage.
template <class T, class Left, class Right, class Tile>
SN_DEVICE void multiply_stage(WarpSums<Tile>& sums, SharedAddress a, SharedAddress b, int row, int column, int lane) {
  using Sums = WarpSums<Tile>;
  SN_UNROLL
  for (int step = 0; step < Left::kDepth / kFragmentDepth<T>; ++step) {
    LeftFragment left[Sums::kDown];
    RightFragment right[Sums::kRight];
    SN_UNROLL
    for (int i = 0; i < Sums::kDown; ++i) Left::fragment(left[i], a, row + i * 16, step, lane);
    SN_UNROLL
    for (int j = 0; j < Sums::kRight; j += 2) {
      uint32_t words[4];
      Right::fragment(words, b, column + j * 8, step, lane);
      right[j][0] = words[0];
      right[j][1] = words[2];
      right[j + 1][0] = words[1];
      right[j + 1][1] = words[3];
    }
    SN_UNROLL
    for (int i = 0; i < Sums::kDown; ++i) {
      SN_UNROLL
      for (int j = 0; j < Sums::kRight; ++j) multiply_fragments<T>(sums.at[i][j], left[i], right[j]);
    }
  }
}

// The tile's sums in shared memory, row by row: neighbours of a row are ended together and stored together.
template <class Tile>
SN_DEVICE void stage_sums(const WarpSums<Tile>& sums, SharedAddress to, int row, int column, int lane) {
  SN_UNROLL
  for (int i = 0; i < WarpSums<Tile>::kDown; ++i) {
    SN_UNROLL
    for (int j = 0; j < WarpSums<Tile>::kRight; ++j) {
      const SumFragment& fragment = sums.at[i][j];
      const int at = (row + i * 16 + lane / 4) * Tile::kSumRow + column + j * 8 + lane % 4 * 2;
      store_shared(to + at * 4, fragment[0], fragment[1]);
      store_shared(to + (at + 8 * Tile::kSumRow) * 4, fragment[2], fragment[3]);
    }
  }
}

template <class Tile, class Epilogue>
SN_DEVICE void finish_tile(const Epilogue& epilogue, SharedAddress sums, const TilePlace& place, int64_t m, int64_t n,
                           int thread) {
  constexpr int kRowQuads = Tile::kColumns / kQuad;
  ColumnSums columns;
  SN_ROLLED
  for (int at = thread; at < Tile::kRows * kRowQuads; at += Tile::kThreads) {
    const int row = at / kRowQuads, right = at % kRowQuads * kQuad;
    const int64_t y = place.row + row, x = place.column + right;
    if (y >= m || x >= n) continue;
    float values[kQuad];
    load_shared(values, sums + (row * Tile::kSumRow + right) * 4);
    const int count = n - x < kQuad ? int(n - x) : kQuad;
    finish_quad(epilogue, (place.batch * m + y) * n + x, x, count, values);
    if constexpr (Epilogue::kSumsColumns) columns.add(values, count);
  }
  if constexpr (Epilogue::kSumsColumns) {
    if (epilogue.partials == nullptr) return;
    float* const to = epilogue.partials + (place.batch * tiles_down<Tile>(m) + place.row / Tile::kRows) * n;
    store_column_sums<Tile::kThreads, Tile::kColumns>(columns, sums, to, place.column, n, thread,
                                                      [] { sync_threads(); });
  }
}

// Blocks that a multiprocessor is to hold at once, so that one multiplies while the other stores; float32's rounding
// takes the registers that this would cost.
template <class T>
inline constexpr int kMmaBlocks = sizeof(T) == 2 ? 2 : 1;

// One block a tile of the result; Tile::kThreads threads, Tile::kBytes of shared memory.
template <bool TransposeA, bool TransposeB, class Tile, class Epilogue, class T = typename Epilogue::Value>
__global__ void __launch_bounds__(Tile::kThreads, kMmaBlocks<T>)
    matmul_mma_kernel(MmaProblem<T> problem, Epilogue epilogue) {
  SN_LARGE_SHARED(memory, Tile::kBytes);
  using Left = OperandTile<T, !TransposeA, Tile::kRows, Tile::kThreads>;
  using Right = OperandTile<T, TransposeB, Tile::kColumns, Tile::kThreads>;
  constexpr int kStages = Tile::kStages, kDepth = Left::kDepth;
  const SharedAddress shared = shared_address(memory);
  const int thread = int(thread_index()), lane = thread % kLanes, warp = thread / kLanes;
  constexpr int kWarpsRight = Tile::kColumns / Tile::kWarpColumns;
  const int warp_row = warp / kWarpsRight * Tile::kWarpRows, warp_column = warp % kWarpsRight * Tile::kWarpColumns;

  const TilePlace place = place_of<Tile>(block_index(), problem.m, problem.n);
  const int64_t m = problem.m, n = problem.n, k = problem.k;
  const OperandMatrix<T> a{problem.a + place.batch * problem.stride_a, TransposeA ? k : m, TransposeA ? m : k,
                           problem.wide_a};
  const OperandMatrix<T> b{problem.b + place.batch * problem.stride_b, TransposeB ? n : k, TransposeB ? k : n,
                           problem.wide_b};

  AsyncCopies copies;
  const auto fill = [&](int stage, int64_t depth) {
    const SharedAddress to = shared + stage * Tile::kStageBytes;
    Left::fill(copies, to, a, TransposeA ? depth : place.row, TransposeA ? place.row : depth, thread);
    Right::fill(copies, to + Left::kBytes, b, TransposeB ? place.column : depth, TransposeB ? depth : place.column,
                thread);
  };

  WarpSums<Tile> sums{};
  const int64_t steps = (k + kDepth - 1) / kDepth;
  for (int stage = 0; stage < kStages - 1; ++stage) {
    if (stage < steps) fill(stage, int64_t(stage) * kDepth);
    copies.commit();
  }
  int read = 0, write = kStages - 1;
  for (int64_t step = 0; step < steps; ++step) {
    // This step's copies have arrived, everybody's after the barrier; and everybody is done with the stage that the
    // next copies overwrite, which was read in the step before.
    copies.template wait<kStages - 2>();
    sync_threads();
    const int64_t ahead = step + kStages - 1;
    if (ahead < steps) fill(write, ahead * kDepth);
    // An empty group too: waiting counts groups.
    copies.commit();
    const SharedAddress stage = shared + read * Tile::kStageBytes;
    multiply_stage<T, Left, Right, Tile>(sums, stage, stage + Left::kBytes, warp_row, warp_column, lane);
    read = read + 1 == kStages ? 0 : read + 1;
    write = write + 1 == kStages ? 0 : write + 1;
  }
  sync_threads();
  stage_sums<Tile>(sums, shared, warp_row, warp_column, lane);
  sync_threads();
  finish_tile<Tile>(epilogue, shared, place, m, n, thread);
}

}  // namespace selfnorm::SN_BUILD
