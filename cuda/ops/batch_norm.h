// Launches the kernels of a batch normalisation: what the op with given moments and the one with the batch's own share.
#pragma once

#include "../kernels/normalize.cuh"
#include "map.h"

namespace selfnorm::SN_BUILD {

template <class F, class T, class... In>
void launch_column_map(Queue& queue, const Periods& shape, F f, T* output, const In*... inputs) {
  constexpr int kWidth = kManyThreads ? kPackWidth<T, In...> : 1;
  const bool packs = shape.period % kWidth == 0 && aligned_to_pack(output) && (aligned_to_pack(inputs) && ...);
  if (kWidth > 1 && packs) {
    launch(queue, elements(shape.n, 4, kWidth), column_map_kernel<kWidth, F, T, In...>, shape, f, output, inputs...);
  } else {
    launch(queue, elements(shape.n, 4), column_map_kernel<1, F, T, In...>, shape, f, output, inputs...);
  }
}

template <class F, class A>
void launch_partials(Queue& queue, const Periods& shape, F f, A* partial) {
  launch(queue, groups(shape.chunks * shape.tiles, kChunkRows * kColumnTile * 4, kColumnTile),
         column_partials_kernel<F, A>, shape, f, partial);
}

inline Grid channel_groups(int64_t channels, int64_t parts) {
  return groups((channels + kChannelsAtOnce - 1) / kChannelsAtOnce, parts * kChannelsAtOnce * 4, parts);
}

template <class A, class Finish>
void launch_sums(Queue& queue, int64_t channels, int64_t repeat, int64_t chunks, const A* partial, Finish finish) {
  launch(queue, channel_groups(channels, chunks * repeat), column_sums_kernel<A, Finish>, channels, repeat, chunks,
         partial, finish);
}

// mean, factor, offset over the period.
template <class A>
void launch_spread(Queue& queue, const Periods& shape, const ChannelFacts<A>& facts, A* spread) {
  launch(queue, elements(shape.period, 16), batch_norm_spread_kernel<A>, shape, facts, spread);
}

template <class A>
Scratch spread_scratch(Queue& queue, const Periods& shape, int64_t arrays) {
  return {queue, size_t(arrays * shape.period) * sizeof(A)};
}

template <class A>
Scratch partial_scratch(Queue& queue, const Periods& shape) {
  return {queue, size_t(2 * shape.chunks * shape.period) * sizeof(A)};
}

// The spread coefficients as the kernels take them.
template <class A>
NormalizedColumns<A> normalized_columns(const Periods& shape, const A* spread) {
  return {spread, spread + shape.period, spread + 2 * shape.period};
}

template <class T, class Activation, class A = Accumulate<T>>
void normalize(Queue& queue, const Periods& shape, const ChannelFacts<A>& facts, Activation activation, const View& x,
               const View& y) {
  const Scratch scratch = spread_scratch<A>(queue, shape, 3);
  launch_spread(queue, shape, facts, scratch.as<A>());
  const Normalize<Activation, A> map{activation, normalized_columns(shape, scratch.as<const A>())};
  launch_column_map(queue, shape, map, y.as<T>(), x.as<const T>());
}

// Channels are the elements of the moments, which are a suffix of x's shape; 0 where x is empty.
inline int64_t channels_of(const View& x, const View& mean) { return x.size() == 0 ? 0 : mean.size(); }

}  // namespace selfnorm::SN_BUILD
