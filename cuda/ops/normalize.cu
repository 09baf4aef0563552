// Gradients of batch normalisation with given moments (forward is in batch_norm_activation.cu), and layer
// normalisation. Parameters (mean, variance, scale, offset) and statistics are in the type that x computes in: float
// for the half types. Optional inputs may be left out.
#include <algorithm>

#include "../kernels/layer_norm.cuh"
#include "batch_norm.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

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
    const NormalizedGradient<Linear, A> gradient{Linear(nullptr), normalized_columns(shape, scratch.as<const A>())};
    launch_partials(call.queue, shape, GradientSums<Linear, T>{dy.as<const T>(), x.as<const T>(), gradient},
                    partial.as<A>());
    launch_sums(call.queue, channels, shape.repeat, shape.chunks, partial.as<const A>(),
                ParameterGradients<A>{facts, call.outputs[0].as<A>(), call.outputs[1].as<A>(), call.outputs[2].as<A>(),
                                      call.outputs[3].as<A>()});
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
      {"batchNorm/backward", batch_norm_backward},
      {"batchNorm/parametersBackward", batch_norm_parameters_backward},
      {"layerNorm", layer_norm},
      {"layerNorm/backward", layer_norm_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
