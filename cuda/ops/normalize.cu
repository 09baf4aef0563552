// Batch and layer normalisation. Parameters (mean, variance, scale, offset) and statistics are in the type that x
// computes in: float for the half types. Optional inputs may be left out.
#include "../kernels/normalize.cuh"

#include <algorithm>

#include "../kernels/layer_norm.cuh"
#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

template <class F, class T, class... In>
void launch_column_map(Queue& queue, const Periods& shape, F f, T* output, const In*... inputs) {
  constexpr int kWidth = kPackWidth<T, In...>;
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

Grid channel_groups(int64_t channels, int64_t parts) {
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

template <class T, class A = Accumulate<T>>
void normalize(const Call& call, const Periods& shape, const ChannelFacts<A>& facts, const View& x, const View& y) {
  const Scratch scratch = spread_scratch<A>(call.queue, shape, 3);
  A* const spread = scratch.as<A>();
  launch_spread(call.queue, shape, facts, spread);
  launch_column_map(call.queue, shape, Normalize<A>{spread, spread + shape.period, spread + 2 * shape.period},
                    y.as<T>(), x.as<const T>());
}

// Channels are the elements of the moments, which are a suffix of x's shape; 0 where x is empty.
int64_t channels_of(const View& x, const View& mean) { return x.size() == 0 ? 0 : mean.size(); }

// x, mean, variance, offset?, scale? -> y; params: epsilon
void batch_norm(const Call& call) {
  const View &x = call.inputs[0], &mean = call.inputs[1];
  const int64_t channels = channels_of(x, mean);
  if (channels == 0) return;
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[2].as<const A>(), call.inputs[4].as<const A>(),
                                call.inputs[3].as<const A>(), A(call.params[0])};
    normalize<T>(call, periods_of(x.size(), channels), facts, x, call.outputs[0]);
  });
}

// dy, mean, variance, scale? -> dx; params: epsilon
void batch_norm_backward(const Call& call) {
  const View &dy = call.inputs[0], &mean = call.inputs[1];
  const int64_t channels = channels_of(dy, mean);
  if (channels == 0) return;
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(dy.size(), channels);
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[2].as<const A>(), call.inputs[3].as<const A>(), nullptr,
                                A(call.params[0])};
    const Scratch scratch = spread_scratch<A>(call.queue, shape, 3);
    launch_spread(call.queue, shape, facts, scratch.as<A>());
    launch_column_map(call.queue, shape, ScaleColumns<A>{scratch.as<A>() + shape.period}, call.outputs[0].as<T>(),
                      dy.as<const T>());
  });
}

// dy, x, mean, variance, scale? -> gradients of mean, variance, offset, scale, in the parameters' dtype; params:
// epsilon
void batch_norm_parameters_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &mean = call.inputs[2];
  const int64_t channels = mean.size();
  if (channels == 0) return;
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(dy.size(), channels);
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[3].as<const A>(), call.inputs[4].as<const A>(), nullptr,
                                A(call.params[0])};
    const Scratch scratch = spread_scratch<A>(call.queue, shape, 3), partial = partial_scratch<A>(call.queue, shape);
    launch_spread(call.queue, shape, facts, scratch.as<A>());
    launch_partials(call.queue, shape, GradientSums<T>{dy.as<const T>(), x.as<const T>(), scratch.as<const A>()},
                    partial.as<A>());
    launch_sums(call.queue, channels, shape.repeat, shape.chunks, partial.as<const A>(),
                ParameterGradients<A>{facts, call.outputs[0].as<A>(), call.outputs[1].as<A>(), call.outputs[2].as<A>(),
                                      call.outputs[3].as<A>()});
  });
}

// x, scale?, offset? -> y, mean, variance of the batch; params: epsilon
void batch_norm_training(const Call& call) {
  const View &x = call.inputs[0], &mean = call.outputs[1], &variance = call.outputs[2];
  const int64_t channels = mean.size();
  if (channels == 0) return;
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(x.size(), channels);
    {
      const Scratch partial = partial_scratch<A>(call.queue, shape);
      launch_partials(call.queue, shape, ShiftedMoments<T>{x.as<const T>()}, partial.as<A>());
      launch(call.queue, channel_groups(channels, shape.chunks * shape.repeat), batch_moments_kernel<T>, shape,
             x.as<const T>(), partial.as<const A>(), mean.as<A>(), variance.as<A>());
    }
    const ChannelFacts<A> facts{mean.as<const A>(), variance.as<const A>(), call.inputs[1].as<const A>(),
                                call.inputs[2].as<const A>(), A(call.params[0])};
    normalize<T>(call, shape, facts, x, call.outputs[0]);
  });
}

// dy, x, mean, variance, scale? -> gradients of x, scale, offset; params: epsilon
void batch_norm_training_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &mean = call.inputs[2];
  const int64_t channels = mean.size();
  if (channels == 0) return;
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(dy.size(), channels);
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[3].as<const A>(), call.inputs[4].as<const A>(), nullptr,
                                A(call.params[0])};
    const Scratch scratch = spread_scratch<A>(call.queue, shape, 5), partial = partial_scratch<A>(call.queue, shape);
    A* const spread = scratch.as<A>();
    A *const mean_dy = spread + 3 * shape.period, *const slope = spread + 4 * shape.period;
    launch_spread(call.queue, shape, facts, spread);
    launch_partials(call.queue, shape, GradientSums<T>{dy.as<const T>(), x.as<const T>(), spread}, partial.as<A>());
    launch_sums(call.queue, channels, shape.repeat, shape.chunks, partial.as<const A>(),
                TrainingGradients<A>{facts, shape, call.outputs[1].as<A>(), call.outputs[2].as<A>(), mean_dy, slope});
    launch_column_map(call.queue, shape, BatchNormSlope<A>{spread, spread + shape.period, mean_dy, slope},
                      call.outputs[0].as<T>(), dy.as<const T>(), x.as<const T>());
  });
}

template <class T>
LayerNormRows<T> layer_norm_rows(const View& x, const View& mean, const View& scale, const View& offset,
                                 double epsilon) {
  using A = Accumulate<T>;
  const int64_t rows = mean.size();
  return {rows, rows == 0 ? 0 : x.size() / rows, scale.as<const A>(), offset.as<const A>(), A(epsilon)};
}

// x, scale?, offset? -> y, mean and 1 / sqrt(variance + epsilon) of each row; params: epsilon
void layer_norm(const Call& call) {
  const View &x = call.inputs[0], &mean = call.outputs[1], &inverse = call.outputs[2];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const auto shape = layer_norm_rows<T>(x, mean, call.inputs[1], call.inputs[2], call.params[0]);
    launch(call.queue, groups(shape.rows, shape.width * 6, shape.width), layer_norm_forward_kernel<T>, shape,
           x.as<const T>(), call.outputs[0].as<T>(), mean.as<A>(), inverse.as<A>());
  });
}

// dy, x, mean, inverse, scale? -> gradients of x and, if asked for, of scale and offset
void layer_norm_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &mean = call.inputs[2], &inverse = call.inputs[3];
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const auto shape = layer_norm_rows<T>(x, mean, call.inputs[4], View{}, 0);
    // Enough chunks for many blocks, few enough that their sums are small beside x.
    const int64_t chunk_rows = std::clamp<int64_t>(16384 / std::max<int64_t>(shape.width, 1), 8, 64);
    const int64_t chunks = (shape.rows + chunk_rows - 1) / chunk_rows;
    const bool parameters = call.outputs.size() > 1;
    const Scratch scratch(call.queue, parameters ? size_t(2 * chunks * shape.width) * sizeof(A) : 0);
    A* const partial = parameters ? scratch.as<A>() : nullptr;
    launch(call.queue, groups(chunks, chunk_rows * shape.width * 12, shape.width), layer_norm_backward_kernel<T>, shape,
           chunk_rows, chunks,
           LayerNormSaved<T>{dy.as<const T>(), x.as<const T>(), mean.as<const A>(), inverse.as<const A>()},
           call.outputs[0].as<T>(), partial);
    if (!parameters) return;
    launch_sums(call.queue, call.outputs[1].size(), 1, chunks, static_cast<const A*>(partial),
                ScaleOffsetGradients<A>{call.outputs[1].as<A>(), call.outputs[2].as<A>()});
  });
}

}  // namespace

void add_normalize_ops(OpTable& table) {
  table.add({
      {"batchNorm", batch_norm},
      {"batchNorm/backward", batch_norm_backward},
      {"batchNorm/parametersBackward", batch_norm_parameters_backward},
      {"batchNormTraining", batch_norm_training},
      {"batchNormTraining/backward", batch_norm_training_backward},
      {"layerNorm", layer_norm},
      {"layerNorm/backward", layer_norm_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
