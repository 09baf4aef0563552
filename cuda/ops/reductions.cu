// Reductions over one run of neighbouring axes: TypeScript brings other patterns to that form. Params: [first axis,
// axes].
#include "../kernels/reductions.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

struct Extent {
  int64_t outer = 1, length = 1, inner = 1;
};

Extent extent_of(const Call& call) {
  const View& x = call.inputs[0];
  const int64_t first = call.integer(0), count = call.integer(1);
  Extent extent;
  for (int axis = 0; axis < x.rank; ++axis) {
    int64_t& part = axis < first ? extent.outer : axis < first + count ? extent.length : extent.inner;
    part *= x.dims[axis];
  }
  return extent;
}

template <class S, class Fold, class Load, class Store, class In, class Out>
void launch_stage(Queue& queue, const Extent& extent, int64_t chunk, Load load_at, Store store_at, const In* input,
                  Out* output) {
  const int64_t chunks = chunks_of(extent.length, chunk);
  if (extent.inner == 1) {
    launch(queue, groups(extent.outer * chunks, std::min(chunk, extent.length), std::min(chunk, extent.length)),
           reduce_rows_kernel<S, Fold, Load, Store, In, Out>, extent.outer, extent.length, chunk, Fold{}, load_at,
           store_at, input, output);
  } else {
    constexpr int64_t kTile = kManyThreads ? kMaxBlock : 64;
    const int64_t tiles = (extent.inner + kTile - 1) / kTile;
    launch(queue, groups(extent.outer * chunks * tiles, std::min(chunk, extent.length) * kTile, extent.inner),
           reduce_columns_kernel<S, Fold, Load, Store, In, Out>, extent.outer, extent.length, extent.inner, chunk,
           Fold{}, load_at, store_at, input, output);
  }
}

// Chunks, then chunks of partial results, until one is left: two stages but for very long axes.
template <class S, class Fold, class Load, class Store, class In, class Out>
void reduce(Queue& queue, Extent extent, Load load_at, Store store_at, const In* input, Out* output) {
  const int64_t chunk = extent.inner == 1 ? kRowChunk : kColumnChunk;
  const int64_t chunks = chunks_of(extent.length, chunk);
  if (chunks == 1) {
    launch_stage<S, Fold>(queue, extent, chunk, load_at, store_at, input, output);
    return;
  }
  const Scratch partials(queue, size_t(extent.outer * chunks * extent.inner) * sizeof(S));
  launch_stage<S, Fold>(queue, extent, chunk, load_at, StorePartial<S>{}, input, partials.as<S>());
  reduce<S, Fold>(queue, {extent.outer, chunks, extent.inner}, LoadPartial<S>{}, store_at, partials.as<const S>(),
                  output);
}

template <class Fold, class T>
void reduce_values(const Call& call, double scale) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  using S = ReduceAccumulate<T>;
  reduce<S, Fold>(call.queue, extent_of(call), LoadValue<S>{}, StoreScaled{scale}, x.as<const T>(), y.as<T>());
}

template <class Fold>
void number_reduction(const Call& call) {
  dispatch_number(call.inputs[0].dtype, [&](auto tag) { reduce_values<Fold, typename decltype(tag)::type>(call, 1); });
}

void mean(const Call& call) {
  const double count = double(extent_of(call).length);
  dispatch_float(call.inputs[0].dtype,
                 [&](auto tag) { reduce_values<SumFold, typename decltype(tag)::type>(call, 1 / count); });
}

template <class Fold>
void bool_reduction(const Call& call) {
  reduce_values<Fold, boolean>(call, 1);
}

template <bool kLargest>
void arg_reduction(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using S = Indexed<Accumulate<T>>;
    reduce<S, ArgFold<kLargest>>(call.queue, extent_of(call), LoadIndexed<S>{}, StorePosition{}, x.as<const T>(),
                                 y.as<int32_t>());
  });
}

}  // namespace

void add_reduction_ops(OpTable& table) {
  table.add({
      {"sum", number_reduction<SumFold>},
      {"mean", mean},
      {"prod", number_reduction<ProductFold>},
      {"max", number_reduction<MaxFold>},
      {"min", number_reduction<MinFold>},
      {"any", bool_reduction<AnyFold>},
      {"all", bool_reduction<AllFold>},
      {"argMax", arg_reduction<true>},
      {"argMin", arg_reduction<false>},
  });
}

}  // namespace selfnorm::SN_BUILD
