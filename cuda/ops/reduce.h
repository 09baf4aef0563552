// Launches reductions: merges the axes of a tensor into the form the kernels take, chooses a kernel and runs its
// stages.
#pragma once

#include "../kernels/reductions.cuh"
#include "dispatch.h"
#include "runtime/launch.h"

namespace selfnorm::SN_BUILD {

// x [outputs, length, columns] over its middle axis, by columns.
inline Reduction columns_of(int64_t outputs, int64_t length, int64_t columns) {
  Reduction shape;
  const auto add = [](Broadcast<1>& walk, int64_t size, int64_t stride) {
    walk.sizes[walk.axes] = size;
    walk.strides[0][walk.axes++] = stride;
  };
  add(shape.kept, outputs, length * columns);
  add(shape.reduced, length, columns);
  shape.outputs = outputs;
  shape.runs = length;
  shape.inner = columns;
  shape.inner_reduced = false;
  return shape;
}

// The same; a single column is a row.
inline Reduction reduction_of(int64_t outputs, int64_t length, int64_t columns) {
  Reduction shape = columns_of(outputs, length, columns);
  if (columns != 1) return shape;
  shape.reduced = {};
  shape.runs = 1;
  shape.inner = length;
  shape.inner_reduced = true;
  return shape;
}

// x over the axes of which `reduced` has bit number axis set.
inline Reduction reduction_of(const View& x, uint32_t reduced) {
  Reduction shape;
  if (x.size() == 0) {
    int64_t outputs = 1;
    for (int axis = 0; axis < x.rank; ++axis) outputs *= (reduced >> axis & 1) ? 1 : x.dims[axis];
    return reduction_of(outputs, 0, 1);
  }
  // Neighbours that are both kept or both reduced merge; built from the innermost axis outwards.
  bool first = true, last_reduced = false;
  int64_t stride = 1;
  for (int axis = x.rank - 1; axis >= 0; --axis) {
    const int64_t size = x.dims[axis];
    if (size == 1) continue;
    const bool is_reduced = reduced >> axis & 1;
    Broadcast<1>& walk = is_reduced ? shape.reduced : shape.kept;
    if (first || (is_reduced == last_reduced && shape.inner == stride)) {
      shape.inner *= size;
      shape.inner_reduced = is_reduced;
      first = false;
    } else {
      (is_reduced ? shape.runs : shape.outputs) *= size;
      if (is_reduced == last_reduced) {
        walk.sizes[walk.axes - 1] *= size;
      } else {
        walk.sizes[walk.axes] = size;
        walk.strides[0][walk.axes++] = stride;
      }
    }
    last_reduced = is_reduced;
    stride *= size;
  }
  for (Broadcast<1>* walk : {&shape.kept, &shape.reduced}) {
    for (int low = 0, high = walk->axes - 1; low < high; ++low, --high) {
      std::swap(walk->sizes[low], walk->sizes[high]);
      std::swap(walk->strides[0][low], walk->strides[0][high]);
    }
  }
  return shape;
}

inline int64_t chunk_of(const Reduction& shape, bool first_stage) {
  if (shape.inner_reduced) return kRowChunk;
  const int64_t rows = std::max<int64_t>(64, kColumnChunk / std::max<int64_t>(shape.inner, 1));
  // A few chunks of partial results are not worth another launch.
  return !first_stage && shape.runs <= 4 * rows ? 4 * rows : rows;
}

template <class Fold, class Load, class Store>
void launch_columns(Queue& queue, const Reduction& shape, int64_t chunk, Fold fold, Load load_at, Store store_at,
                    int cost) {
  const int64_t chunks = chunks_of(shape.runs, chunk), tiles = (shape.inner + kColumnTile - 1) / kColumnTile;
  const int64_t size = std::min(chunk, shape.runs) * std::min(shape.inner, kColumnTile);
  launch(queue, groups(shape.outputs * chunks * tiles, cost * size, size), reduce_columns_kernel<Fold, Load, Store>,
         shape, chunk, fold, load_at, store_at);
}

template <class Fold, class Load, class Store>
void launch_stage(Queue& queue, const Reduction& shape, int64_t chunk, Fold fold, Load load_at, Store store_at,
                  int cost) {
  const int64_t length = shape.length(), columns = shape.columns();
  if (length <= kShortRow && (shape.inner_reduced || kManyThreads || columns < 16)) {
    launch(queue, elements(shape.outputs * columns, cost * (length + 4)), reduce_short_kernel<Fold, Load, Store>, shape,
           fold, load_at, store_at);
  } else if (shape.inner_reduced) {
    const int64_t size = std::min(chunk, length);
    launch(queue, groups(shape.outputs * chunks_of(length, chunk), cost * size, size),
           reduce_rows_kernel<Fold, Load, Store>, shape, chunk, fold, load_at, store_at);
  } else {
    launch_columns(queue, shape, chunk, fold, load_at, store_at, cost);
  }
}

// Chunks, then chunks of partial results, until one is left: two stages but for very long axes. `cost` is the rough
// number of flops an element takes.
template <class Fold, class Load, class Store>
void reduce(Queue& queue, const Reduction& shape, Fold fold, Load load_at, Store store_at, int cost = 1,
            bool first_stage = true) {
  using S = typename Load::State;
  const int64_t chunk = chunk_of(shape, first_stage), chunks = chunks_of(shape.length(), chunk);
  if (chunks == 1) {
    launch_stage(queue, shape, chunk, fold, load_at, store_at, cost);
    return;
  }
  const Scratch partials(queue, size_t(shape.outputs * chunks * shape.columns()) * sizeof(S));
  launch_stage(queue, shape, chunk, fold, load_at, StorePartial<S>{partials.as<S>()}, cost);
  reduce(queue, reduction_of(shape.outputs, chunks, shape.columns()), fold, LoadPartial<S>{partials.as<const S>()},
         store_at, 1, false);
}

// The columns of [rows, columns], whose first stage is always reduce_columns_kernel with partial results: one kernel a
// Load, where reduce() takes six.
template <class Fold, class Load, class Store>
void reduce_columns(Queue& queue, int64_t rows, int64_t columns, Fold fold, Load load_at, Store store_at, int cost) {
  using S = typename Load::State;
  const Reduction shape = columns_of(1, rows, columns);
  const int64_t chunk = chunk_of(shape, true), chunks = chunks_of(rows, chunk);
  const Scratch partials(queue, size_t(chunks * columns) * sizeof(S));
  launch_columns(queue, shape, chunk, fold, load_at, StorePartial<S>{partials.as<S>()}, cost);
  reduce(queue, reduction_of(1, chunks, columns), fold, LoadPartial<S>{partials.as<const S>()}, store_at, 1, false);
}

}  // namespace selfnorm::SN_BUILD
