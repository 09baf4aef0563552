// Matrix product without a library: float64 and int32, tiny products, and where no library was found. Tiles of both
// operands are copied to shared memory, so that one loop serves every transpose; each output element is summed by one
// thread in the order of k, so results do not depend on the number of threads.
#pragma once

#include "broadcast.h"
#include "elementwise.h"

namespace selfnorm::SN_BUILD {

inline constexpr int kTileRows = 32, kTileColumns = 32, kTileDepth = 64;

// Sizes, and the distance in elements between neighbours along each axis: a transpose is a matter of these alone.
struct MatmulLayout {
  int64_t m, n, k;
  int64_t a_row, a_depth;
  int64_t b_depth, b_column;
};

// One group: a tile of kTileRows x kTileColumns of the output of one batch.
SN_HD int64_t matmul_plain_groups(const MatmulLayout& layout, int64_t batch) {
  return batch * ((layout.m + kTileRows - 1) / kTileRows) * ((layout.n + kTileColumns - 1) / kTileColumns);
}

// sums += left right, on tiles padded with zeros to their full size.
template <class A>
SN_DEVICE void multiply_tiles(A* sums, const A* left, const A* right, int rows, int depth) {
  using W = Wrapping<A>;
  if constexpr (kManyThreads) {
    const Range range = block_range(kTileRows * kTileColumns);
    for (int64_t e = range.begin; e < range.end; e += range.step) {
      const int row = int(e) / kTileColumns, column = int(e) % kTileColumns;
      W sum = W(sums[e]);
      for (int d = 0; d < depth; ++d) sum += W(left[row * kTileDepth + d]) * W(right[d * kTileColumns + column]);
      sums[e] = A(sum);
    }
  } else {
    // Few enough partial sums that they stay in registers.
    constexpr int kRows = 4, kColumns = 64 / int(sizeof(A));
    for (int row = 0; row < rows; row += kRows) {
      for (int column = 0; column < kTileColumns; column += kColumns) {
        W partial[kRows][kColumns];
        for (int r = 0; r < kRows; ++r) {
          SN_SIMD
          for (int c = 0; c < kColumns; ++c) partial[r][c] = W(sums[(row + r) * kTileColumns + column + c]);
        }
        for (int d = 0; d < depth; ++d) {
          const A* const from = right + d * kTileColumns + column;
          for (int r = 0; r < kRows; ++r) {
            const W factor = W(left[(row + r) * kTileDepth + d]);
            SN_SIMD
            for (int c = 0; c < kColumns; ++c) partial[r][c] += factor * W(from[c]);
          }
        }
        for (int r = 0; r < kRows; ++r) {
          SN_SIMD
          for (int c = 0; c < kColumns; ++c) sums[(row + r) * kTileColumns + column + c] = A(partial[r][c]);
        }
      }
    }
  }
}

// `batches` has strides in matrices. bias has n elements, or is null.
template <class T>
__global__ void matmul_plain_kernel(MatmulLayout layout, Broadcast<2> batches, int64_t groups, T* c, const T* a,
                                    const T* b, const T* bias) {
  using A = Accumulate<T>;
  SN_SHARED(A, left, kTileRows * kTileDepth);
  SN_SHARED(A, right, kTileDepth * kTileColumns);
  SN_SHARED(A, sums, kTileRows * kTileColumns);
  const int64_t row_tiles = (layout.m + kTileRows - 1) / kTileRows;
  const int64_t column_tiles = (layout.n + kTileColumns - 1) / kTileColumns;
  const Range range = group_range(groups);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t batch = group / (row_tiles * column_tiles), tile = group - batch * row_tiles * column_tiles;
    const int64_t row0 = tile / column_tiles * kTileRows, column0 = tile % column_tiles * kTileColumns;
    const int rows = int(layout.m - row0 < kTileRows ? layout.m - row0 : kTileRows);
    const int columns = int(layout.n - column0 < kTileColumns ? layout.n - column0 : kTileColumns);
    const Offsets<2> matrices = offsets_of(batches, batch);
    const T* const from_a = a + matrices.at[0] * layout.m * layout.k + row0 * layout.a_row;
    const T* const from_b = b + matrices.at[1] * layout.k * layout.n + column0 * layout.b_column;
    // Rows beyond the tile that multiply_tiles takes in one step.
    const int padded = kManyThreads ? kTileRows : (rows + 3) / 4 * 4;

    // Each thread keeps to its own elements of `sums`: no barrier is needed for them.
    const Range outputs = block_range(int64_t(padded) * kTileColumns);
    for (int64_t e = outputs.begin; e < outputs.end; e += outputs.step) {
      const int column = int(e) % kTileColumns;
      sums[e] = bias != nullptr && column < columns ? A(load(bias[column0 + column])) : A(0);
    }
    for (int64_t depth0 = 0; depth0 < layout.k; depth0 += kTileDepth) {
      const int depth = int(layout.k - depth0 < kTileDepth ? layout.k - depth0 : kTileDepth);
      const T* const tile_a = from_a + depth0 * layout.a_depth;
      const T* const tile_b = from_b + depth0 * layout.b_depth;
      const Range lefts = block_range(int64_t(padded) * depth);
      for (int64_t e = lefts.begin; e < lefts.end; e += lefts.step) {
        const int row = int(e) / depth, d = int(e) % depth;
        left[row * kTileDepth + d] = row < rows ? A(load(tile_a[row * layout.a_row + d * layout.a_depth])) : A(0);
      }
      const Range rights = block_range(int64_t(depth) * kTileColumns);
      for (int64_t e = rights.begin; e < rights.end; e += rights.step) {
        const int d = int(e) / kTileColumns, column = int(e) % kTileColumns;
        right[e] = column < columns ? A(load(tile_b[d * layout.b_depth + column * layout.b_column])) : A(0);
      }
      sync_threads();
      multiply_tiles<A>(sums, left, right, rows, depth);
      sync_threads();
    }
    const Range results = block_range(int64_t(rows) * kTileColumns);
    for (int64_t e = results.begin; e < results.end; e += results.step) {
      const int row = int(e) / kTileColumns, column = int(e) % kTileColumns;
      if (column < columns) {
        c[(batch * layout.m + row0 + row) * layout.n + column0 + column] = store<T>(sums[e]);
      }
    }
  }
}

}  // namespace selfnorm::SN_BUILD
