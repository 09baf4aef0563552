// The part of an operand that a block multiplies at a time, in shared memory: `Extent` rows (of a) or columns (of b) by
// 64 bytes of depth, in 16-byte chunks whose order within a row is swizzled, so that neither the copies that fill it
// nor the reads of fragments meet in a bank. It lies there as in memory, whichever axis is the inner one.
#pragma once

#include "pack.h"
#include "tensor_core.h"

namespace selfnorm::SN_BUILD {

// An operand of one batch: `columns` neighbouring elements a row, rows without gaps.
template <class T>
struct OperandMatrix {
  const T* data;
  int64_t rows, columns;
  bool wide;  // every row begins at a multiple of 16 bytes
};

// DepthInner: depth is the axis along which elements are neighbours.
template <class T, bool DepthInner, int Extent, int Threads>
struct OperandTile {
  static constexpr int kChunk = 16 / int(sizeof(T));
  static constexpr int kDepth = 64 / int(sizeof(T));
  static constexpr int kRows = DepthInner ? Extent : kDepth;
  static constexpr int kRowChunks = (DepthInner ? kDepth : Extent) / kChunk;
  static constexpr int kBytes = Extent * 64;

  static SN_DEVICE int offset(int row, int chunk) {
    if constexpr (DepthInner) {
      // Two rows fill the 128 bytes of the banks.
      return (row * kRowChunks + (chunk ^ (row / 2 % 4))) * 16;
    } else if constexpr (sizeof(T) == 2) {
      return (row * kRowChunks + (chunk ^ (row % 8))) * 16;
    } else {
      // Read word by word: four rows of eight neighbours at a time.
      return (row * kRowChunks + (chunk ^ (row % 4 * 2))) * 16;
    }
  }

  // Starts to copy the tile at (row, column); what lies outside of the matrix becomes zero.
  static SN_DEVICE void fill(AsyncCopies& copies, SharedAddress to, const OperandMatrix<T>& from, int64_t row0,
                             int64_t column0, int thread) {
    constexpr int kCopies = kRows * kRowChunks / Threads;
    static_assert(kCopies * Threads == kRows * kRowChunks);
    const T* const tile = from.data + row0 * from.columns + column0;
    // Within the tile 32 bits do, and cost half the registers.
    const int rows = within(from.rows - row0, kRows), columns = within(from.columns - column0, kRowChunks * kChunk);
    if (from.wide) {
      SN_UNROLL
      for (int i = 0; i < kCopies; ++i) {
        const int at = thread + i * Threads, row = at / kRowChunks, column = at % kRowChunks * kChunk;
        const int left = row < rows ? within(columns - column, kChunk) : 0;
        copies.copy(to + offset(row, at % kRowChunks), left > 0 ? tile + row * from.columns + column : from.data,
                    left * int(sizeof(T)));
      }
    } else {
      SN_ROLLED
      for (int i = 0; i < kCopies; ++i) {
        const int at = thread + i * Threads, row = at / kRowChunks, column = at % kRowChunks * kChunk;
        Pack<T, kChunk> pack;
        SN_UNROLL
        for (int e = 0; e < kChunk; ++e) {
          pack.values[e] = row < rows && column + e < columns ? tile[row * from.columns + column + e] : T{};
        }
        struct Words {
          uint32_t words[4];
        };
        store_shared(to + offset(row, at % kRowChunks), bit_copy<Words>(pack).words);
      }
    }
  }

  static SN_DEVICE int within(int64_t size, int most) { return size < 0 ? 0 : size < most ? int(size) : most; }

  // A 16 x kFragmentDepth<T> part, as LeftFragment orders it; words 0 and 2 make a RightFragment of its first eight
  // rows or columns, words 1 and 3 of the others.
  static SN_DEVICE void fragment(uint32_t (&words)[4], SharedAddress tile, int first, int step, int lane) {
    if constexpr (DepthInner) {
      load_matrices<false>(words, tile + offset(first + lane % 16, step * 2 + lane / 16));
    } else if constexpr (sizeof(T) == 2) {
      load_matrices<true>(words, tile + offset(step * 16 + lane / 16 * 8 + lane % 8, first / kChunk + lane / 8 % 2));
    } else {
      SN_UNROLL
      for (int w = 0; w < 4; ++w) {
        const int depth = step * 8 + w / 2 * 4 + lane % 4, at = first + w % 2 * 8 + lane / 4;
        words[w] = load_shared(tile + offset(depth, at / kChunk) + at % kChunk * int(sizeof(T)));
      }
    }
    if constexpr (std::is_same_v<T, float>) {
      SN_UNROLL
      for (uint32_t& word : words) word = round_to_tf32(word);
    }
  }
};

}  // namespace selfnorm::SN_BUILD
