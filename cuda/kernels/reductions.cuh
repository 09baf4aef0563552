// Reductions of [outer, reduced, inner] over the middle axis. Long axes are cut into chunks of fixed length whose
// partial results a second launch reduces: no atomics, so every bit depends on the shape alone and not on the number of
// threads.
#pragma once

#include "math.h"
#include "reduce.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// Elements of a chunk along a contiguous row, and rows of a chunk when columns are reduced.
inline constexpr int64_t kRowChunk = 4096, kColumnChunk = 256;

// An empty axis has one chunk without elements, which gives the identity.
SN_HD int64_t chunks_of(int64_t length, int64_t chunk) { return length == 0 ? 1 : (length + chunk - 1) / chunk; }

// Partial results of integers are 64 bits wide, so that only the final store wraps.
template <class T>
using ReduceAccumulate = std::conditional_t<std::is_same_v<Accumulate<T>, int32_t>, int64_t, Accumulate<T>>;

struct SumFold {
  template <class A>
  static SN_HD A identity() {
    return A(0);
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    if constexpr (std::is_integral_v<A>) {
      return A(uint64_t(a) + uint64_t(b));
    } else {
      return a + b;
    }
  }
};
struct ProductFold {
  template <class A>
  static SN_HD A identity() {
    return A(1);
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    if constexpr (std::is_integral_v<A>) {
      return A(uint64_t(a) * uint64_t(b));
    } else {
      return a * b;
    }
  }
};
// NaN wins.
struct MaxFold {
  template <class A>
  static SN_HD A identity() {
    if constexpr (std::is_integral_v<A>) {
      return A(-9223372036854775807LL - 1);
    } else {
      return -math::kInfinity<A>;
    }
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    const A larger = a > b ? a : b;
    return a != a ? a : larger;
  }
};
struct MinFold {
  template <class A>
  static SN_HD A identity() {
    if constexpr (std::is_integral_v<A>) {
      return A(9223372036854775807LL);
    } else {
      return math::kInfinity<A>;
    }
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    const A smaller = a < b ? a : b;
    return a != a ? a : smaller;
  }
};
struct AnyFold {
  template <class A>
  static SN_HD A identity() {
    return A(0);
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return a | b;
  }
};
struct AllFold {
  template <class A>
  static SN_HD A identity() {
    return A(1);
  }
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return a & b;
  }
};

// A value with its position along the reduced axis.
template <class A>
struct Indexed {
  A value;
  int32_t position;  // -1: none yet
};

// The first of the largest (or smallest) values; NaN beats every number.
template <bool kLargest>
struct ArgFold {
  template <class S>
  static SN_HD S identity() {
    return {decltype(S::value)(0), -1};
  }
  template <class A>
  SN_HD Indexed<A> operator()(Indexed<A> a, Indexed<A> b) const {
    if (a.position < 0) return b;
    if (b.position < 0) return a;
    const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan) return a_nan ? a : b;
    const bool b_better = kLargest ? b.value > a.value : b.value < a.value;
    const bool same = a_nan || a.value == b.value;
    return b_better || (same && b.position < a.position) ? b : a;
  }
};

// How a stage reads: the first one elements, later ones partial results.
template <class A>
struct LoadValue {
  template <class T>
  SN_HD A operator()(const T* x, int64_t at, int64_t) const {
    return A(load(x[at]));
  }
};
template <class S>
struct LoadIndexed {
  template <class T>
  SN_HD S operator()(const T* x, int64_t at, int64_t position) const {
    return {decltype(S::value)(load(x[at])), int32_t(position)};
  }
};
template <class S>
struct LoadPartial {
  SN_HD S operator()(const S* x, int64_t at, int64_t) const { return x[at]; }
};

// How a stage writes: partial results as they are, the last stage in the output's dtype.
template <class S>
struct StorePartial {
  SN_HD void operator()(S* output, int64_t at, S value) const { output[at] = value; }
};
struct StoreScaled {
  double scale;
  template <class Out, class A>
  SN_HD void operator()(Out* output, int64_t at, A value) const {
    if constexpr (std::is_integral_v<A>) {
      output[at] = store<Out>(int32_t(uint64_t(value)));
    } else {
      output[at] = store<Out>(value * A(scale));
    }
  }
};
struct StorePosition {
  template <class A>
  SN_HD void operator()(int32_t* output, int64_t at, Indexed<A> value) const {
    output[at] = value.position;
  }
};

// One group a chunk of a contiguous row: output[row, chunk].
template <class S, class Fold, class Load, class Store, class In, class Out>
__global__ void reduce_rows_kernel(int64_t rows, int64_t length, int64_t chunk, Fold fold, Load load_at, Store store_at,
                                   const In* input, Out* output) {
  const int64_t chunks = chunks_of(length, chunk);
  const Range groups = group_range(rows * chunks);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const int64_t begin = group % chunks * chunk;
    const int64_t size = length - begin < chunk ? length - begin : chunk;
    const int64_t start = group / chunks * length + begin;
    S total = Fold::template identity<S>();
    if constexpr (kManyThreads) {
      const Range range = block_range(size);
      for (int64_t i = range.begin; i < range.end; i += range.step)
        total = fold(total, load_at(input, start + i, begin + i));
      total = block_reduce(total, fold);
    } else {
      // Independent lanes, so that the compiler makes vectors and rounding errors grow with length / 32 only.
      constexpr int kLanes = 32;
      int64_t i = 0;
      if (size >= 2 * kLanes) {
        S lanes[kLanes];
        for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = Fold::template identity<S>();
        for (; i + kLanes <= size; i += kLanes) {
          SN_INDEPENDENT
          for (int lane = 0; lane < kLanes; ++lane) {
            lanes[lane] = fold(lanes[lane], load_at(input, start + i + lane, begin + i + lane));
          }
        }
        for (int lane = 0; lane < kLanes; ++lane) total = fold(total, lanes[lane]);
      }
      for (; i < size; ++i) total = fold(total, load_at(input, start + i, begin + i));
    }
    if (thread_index() == 0) store_at(output, group, total);
  }
}

// One group a chunk of rows: output[outer, chunk, column].
template <class S, class Fold, class Load, class Store, class In, class Out>
__global__ void reduce_columns_kernel(int64_t outer, int64_t length, int64_t columns, int64_t chunk, Fold fold,
                                      Load load_at, Store store_at, const In* input, Out* output) {
  // Columns of a group: all of them would leave one group for a wide short matrix.
  constexpr int64_t kTile = kManyThreads ? kMaxBlock : 64;
  const int64_t chunks = chunks_of(length, chunk), tiles = (columns + kTile - 1) / kTile;
  const Range groups = group_range(outer * chunks * tiles);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const int64_t tile = group % tiles * kTile, part = group / tiles;
    const int64_t begin = part % chunks * chunk;
    const int64_t end = length - begin < chunk ? length : begin + chunk;
    const int64_t width = columns - tile < kTile ? columns - tile : kTile;
    const int64_t base = part / chunks * length * columns + tile;
    if constexpr (kManyThreads) {
      const Range range = block_range(width);
      for (int64_t column = range.begin; column < range.end; column += range.step) {
        S total = Fold::template identity<S>();
        for (int64_t row = begin; row < end; ++row)
          total = fold(total, load_at(input, base + row * columns + column, row));
        store_at(output, part * columns + tile + column, total);
      }
    } else {
      S totals[kTile];
      for (int64_t column = 0; column < width; ++column) totals[column] = Fold::template identity<S>();
      for (int64_t row = begin; row < end; ++row) {
        SN_INDEPENDENT
        for (int64_t column = 0; column < width; ++column) {
          totals[column] = fold(totals[column], load_at(input, base + row * columns + column, row));
        }
      }
      for (int64_t column = 0; column < width; ++column)
        store_at(output, part * columns + tile + column, totals[column]);
    }
  }
}

}  // namespace selfnorm::SN_BUILD
