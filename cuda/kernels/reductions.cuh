// Reductions over any axes. Merged axes leave two cases: the innermost one is reduced (rows) or kept (columns). Long
// axes are cut into chunks of a length that only the shape decides, and a second launch folds the chunks' results: no
// atomics, and no bit depends on the number of threads.
#pragma once

#include "broadcast.h"
#include "folds.h"
#include "reduce.h"

namespace selfnorm::SN_BUILD {

struct Reduction {
  Broadcast<1> kept;              // kept axes, save an innermost one: where each output starts
  Broadcast<1> reduced;           // reduced axes, save an innermost one: where each of their positions lies from there
  int64_t outputs = 1, runs = 1;  // positions of the two
  int64_t inner = 1;              // the innermost axis, contiguous
  bool inner_reduced = true;

  SN_HD int64_t length() const { return inner_reduced ? runs * inner : runs; }
  SN_HD int64_t columns() const { return inner_reduced ? 1 : inner; }
};

// Elements of a chunk of a row, and about how many a chunk of columns has.
inline constexpr int64_t kRowChunk = 2048, kColumnChunk = 16384;
// Rows up to this length are folded by one thread.
inline constexpr int64_t kShortRow = 32;
// Columns a group of reduce_columns_kernel works on.
inline constexpr int64_t kColumnTile = kManyThreads ? kWarp : 1024;
// Narrow rows of columns are read several at a time, up to this many elements.
inline constexpr int64_t kWideRow = 512;

// An empty axis has one chunk without elements, which gives the identity.
SN_HD int64_t chunks_of(int64_t length, int64_t chunk) { return length == 0 ? 1 : (length + chunk - 1) / chunk; }

SN_HD int64_t offset_of(const Broadcast<1>& axes, int64_t index) {
  if (axes.axes == 1) return index * axes.strides[0][0];
  int64_t offset = 0;
  for (int axis = axes.axes - 1; axis >= 0; --axis) {
    const int64_t rest = index / axes.sizes[axis];
    offset += (index - rest * axes.sizes[axis]) * axes.strides[0][axis];
    index = rest;
  }
  return offset;
}

// As block_reduce; states that are no plain numbers cannot be shuffled on the GPU and go through shared memory.
template <class S, class Fold>
SN_DEVICE S fold_block(S value, Fold fold) {
  if constexpr (std::is_arithmetic_v<S> || !kManyThreads) {
    return block_reduce(value, fold);
  } else {
    SN_SHARED(S, slots, kMaxBlock);
    const int thread = int(thread_index());
    slots[thread] = value;
    sync_threads();
    for (int active = int(thread_count()); active > 1;) {
      const int half = (active + 1) / 2;
      if (thread + half < active) slots[thread] = fold(slots[thread], slots[thread + half]);
      sync_threads();
      active = half;
    }
    value = slots[0];
    sync_threads();
    return value;
  }
}

// Folds `size` contiguous elements on one thread. Independent lanes let the compiler make vectors, and rounding errors
// grow with size / 32 only.
template <class Fold, class Load>
inline typename Load::State fold_run(Fold fold, Load load_at, int64_t start, int64_t size, int64_t position,
                                     int64_t output) {
  using S = typename Load::State;
  S total = Fold::template identity<S>();
  int64_t i = 0;
  if constexpr (std::is_arithmetic_v<S>) {
    constexpr int kLanes = 32;
    if (size >= kLanes) {
      S lanes[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = load_at(start + lane, position + lane, output);
      for (i = kLanes; i + kLanes <= size; i += kLanes) {
        SN_INDEPENDENT
        for (int lane = 0; lane < kLanes; ++lane) {
          lanes[lane] = fold(lanes[lane], load_at(start + i + lane, position + i + lane, output));
        }
      }
      for (int half = kLanes / 2; half > 0; half /= 2) {
        for (int lane = 0; lane < half; ++lane) lanes[lane] = fold(lanes[lane], lanes[lane + half]);
      }
      total = lanes[0];
    }
  }
  for (; i < size; ++i) total = fold(total, load_at(start + i, position + i, output));
  return total;
}

// The extreme first, by vectors; then its first place.
template <bool kLargest, class A, class T>
inline Indexed<A> fold_run(ArgFold<kLargest>, LoadIndexed<A, T> load_at, int64_t start, int64_t size, int64_t position,
                           int64_t output) {
  const A best = fold_run(typename ArgFold<kLargest>::Value{}, LoadValue<A, T>{load_at.x}, start, size, 0, output);
  for (int64_t i = 0; i < size; ++i) {
    const A value = A(load(load_at.x[start + i]));
    if (value == best || value != value) return {best, int32_t(position + i)};
  }
  return {A(0), -1};
}

template <class A, class T>
inline ScaledSum<A> fold_run(LogSumExpFold, LoadExponent<A, T> load_at, int64_t start, int64_t size, int64_t,
                             int64_t output) {
  const A largest = fold_run(MaxFold{}, LoadValue<A, T>{load_at.x}, start, size, 0, output);
  const A shift = math::is_inf(largest) ? A(0) : largest;
  A total = 0;
  SN_SIMD_SUM(total)
  for (int64_t i = 0; i < size; ++i) total += math::exp(A(load(load_at.x[start + i])) - shift);
  return {largest, total};
}

// One thread a result.
template <class Fold, class Load, class Store>
__global__ void reduce_short_kernel(Reduction shape, Fold fold, Load load_at, Store store_at) {
  using S = typename Load::State;
  const int64_t columns = shape.columns(), length = shape.length();
  const Range range = grid_range(shape.outputs * columns);
  for (int64_t result = range.begin; result < range.end; result += range.step) {
    const int64_t row = columns == 1 ? result : result / columns;
    const int64_t start = offset_of(shape.kept, row) + (result - row * columns);
    if constexpr (!kManyThreads) {
      if (shape.inner_reduced && shape.runs == 1) {
        store_at(result, fold_run(fold, load_at, start, length, 0, result));
        continue;
      }
    }
    S total = Fold::template identity<S>();
    for (int64_t position = 0; position < length; ++position) {
      const int64_t run = shape.inner_reduced ? position / shape.inner : position;
      const int64_t within = shape.inner_reduced ? position - run * shape.inner : 0;
      total = fold(total, load_at(start + offset_of(shape.reduced, run) + within, position, result));
    }
    store_at(result, total);
  }
}

// The innermost axis is reduced. One group a chunk of an output: results [outputs, chunks].
template <class Fold, class Load, class Store>
__global__ void reduce_rows_kernel(Reduction shape, int64_t chunk, Fold fold, Load load_at, Store store_at) {
  using S = typename Load::State;
  const int64_t length = shape.length(), chunks = chunks_of(length, chunk);
  const Range groups = group_range(shape.outputs * chunks);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const int64_t row = chunks == 1 ? group : group / chunks;
    const int64_t begin = (group - row * chunks) * chunk;
    const int64_t end = length - begin < chunk ? length : begin + chunk;
    const int64_t start = offset_of(shape.kept, row);
    S total = Fold::template identity<S>();
    if constexpr (kManyThreads) {
      const Range range = block_range(end - begin);
      for (int64_t i = range.begin; i < range.end; i += range.step) {
        const int64_t position = begin + i;
        const int64_t run = shape.runs == 1 ? 0 : position / shape.inner;
        const int64_t at = start + offset_of(shape.reduced, run) + (position - run * shape.inner);
        total = fold(total, load_at(at, position, row));
      }
      total = fold_block(total, fold);
    } else {
      for (int64_t position = begin; position < end;) {
        const int64_t run = shape.runs == 1 ? 0 : position / shape.inner;
        const int64_t within = position - run * shape.inner;
        const int64_t size = shape.inner - within < end - position ? shape.inner - within : end - position;
        const int64_t at = start + offset_of(shape.reduced, run) + within;
        total = fold(total, fold_run(fold, load_at, at, size, position, row));
        position += size;
      }
    }
    if (thread_index() == 0) store_at(group, total);
  }
}

// The innermost axis is kept. One group a chunk of rows and a tile of columns: results [outputs, chunks, columns].
template <class Fold, class Load, class Store>
__global__ void reduce_columns_kernel(Reduction shape, int64_t chunk, Fold fold, Load load_at, Store store_at) {
  using S = typename Load::State;
  const int64_t columns = shape.inner, length = shape.runs;
  const int64_t chunks = chunks_of(length, chunk), tiles = (columns + kColumnTile - 1) / kColumnTile;
  const Range groups = group_range(shape.outputs * chunks * tiles);
  for (int64_t group = groups.begin; group < groups.end; group += groups.step) {
    const int64_t part = group / tiles, tile = (group - part * tiles) * kColumnTile;
    const int64_t row = part / chunks, begin = (part - row * chunks) * chunk;
    const int64_t end = length - begin < chunk ? length : begin + chunk;
    const int64_t width = columns - tile < kColumnTile ? columns - tile : kColumnTile;
    const int64_t start = offset_of(shape.kept, row) + tile;
    const int64_t output = row * columns + tile, result = part * columns + tile;
    if constexpr (kManyThreads) {
      // Teams of as many threads as there are columns; a team takes every teams'th row.
      SN_SHARED(S, slots, kMaxBlock);
      const int64_t threads = thread_count(), lanes = width < threads ? width : threads, teams = threads / lanes;
      const int64_t team = thread_index() / lanes, lane = thread_index() - team * lanes;
      for (int64_t first = 0; first < width; first += lanes) {
        const int64_t column = first + lane;
        S total = Fold::template identity<S>();
        if (team < teams && column < width) {
          for (int64_t r = begin + team; r < end; r += teams) {
            total = fold(total, load_at(start + offset_of(shape.reduced, r) + column, r, output + column));
          }
        }
        slots[thread_index()] = total;
        sync_threads();
        if (team == 0 && column < width) {
          for (int64_t other = 1; other < teams; ++other) total = fold(total, slots[other * lanes + lane]);
          store_at(result + column, total);
        }
        sync_threads();
      }
    } else {
      // Narrow rows that follow each other are read as one wide row, whose parts are folded at the end.
      const int last = shape.reduced.axes - 1;
      const bool widens = !Load::kNeedsPlace && columns * 2 <= kWideRow && last >= 0 &&
                          shape.reduced.strides[0][last < 0 ? 0 : last] == columns;
      const int64_t adjacent = widens && length > 0 ? shape.reduced.sizes[last] : 1;
      const int64_t most = widens ? kWideRow / columns : 1;
      const int64_t wide = (most < adjacent ? most : adjacent) * width;
      S totals[kColumnTile];
      for (int64_t i = 0; i < wide; ++i) totals[i] = Fold::template identity<S>();
      for (int64_t r = begin; r < end;) {
        const int64_t left = adjacent - r % adjacent, here = left < end - r ? left : end - r;
        const int64_t rows = here < most ? here : most, size = rows * width;
        const int64_t at = start + offset_of(shape.reduced, r);
        SN_INDEPENDENT
        for (int64_t i = 0; i < size; ++i) totals[i] = fold(totals[i], load_at(at + i, r, output + i));
        r += rows;
      }
      for (int64_t from = width; from < wide; from += width) {
        for (int64_t i = 0; i < width; ++i) totals[i] = fold(totals[i], totals[from + i]);
      }
      for (int64_t i = 0; i < width; ++i) store_at(result + i, totals[i]);
    }
  }
}

}  // namespace selfnorm::SN_BUILD
