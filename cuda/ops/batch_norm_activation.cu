// For every activation f of the table, batch normalisation that ends with it, x -> f(z):
// "<name>/batch_norm" with given moments, "<name>/batch_norm_training" with the batch's own and
// "<name>/batch_norm_training_backward". Parameters: epsilon, then the activation's. z is not kept: backward works it
// out from x once in the pass that sums and once in the pass that writes dx. "batchNorm/averages" moves the averages
// that inference takes. Statistics and scale and offset are in the type that x computes in.
#include "batch_norm.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// x, mean, variance, offset?, scale? -> y
template <class Activation>
void batch_norm(const Call& call) {
  const View &x = call.inputs[0], &mean = call.inputs[1];
  const int64_t channels = channels_of(x, mean);
  if (channels == 0) return;
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[2].as<const A>(), call.inputs[4].as<const A>(),
                                call.inputs[3].as<const A>(), A(call.params[0])};
    normalize<T>(call.queue, periods_of(x.size(), channels), facts, Activation(call.params.data() + 1), x,
                 call.outputs[0]);
  });
}

// The moments of x over its rows.
template <class T, class A = Accumulate<T>>
void batch_moments(Queue& queue, const Periods& shape, const View& x, const View& mean, const View& variance) {
  const Scratch partial = partial_scratch<A>(queue, shape);
  launch_partials(queue, shape, ShiftedMoments<T>{x.as<const T>()}, partial.as<A>());
  launch(queue, channel_groups(shape.channels, shape.chunks * shape.repeat), batch_moments_kernel<T>, shape,
         x.as<const T>(), partial.as<const A>(), mean.as<A>(), variance.as<A>());
}

// x, scale?, offset? -> y, mean, variance of the batch
template <class Activation>
void batch_norm_training(const Call& call) {
  const View &x = call.inputs[0], &mean = call.outputs[1], &variance = call.outputs[2];
  const int64_t channels = mean.size();
  if (channels == 0) return;
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(x.size(), channels);
    batch_moments<T>(call.queue, shape, x, mean, variance);
    const ChannelFacts<A> facts{mean.as<const A>(), variance.as<const A>(), call.inputs[1].as<const A>(),
                                call.inputs[2].as<const A>(), A(call.params[0])};
    normalize<T>(call.queue, shape, facts, Activation(call.params.data() + 1), x, call.outputs[0]);
  });
}

// dy, x, mean, variance, scale?, offset? -> gradients of x, scale, offset
template <class Activation>
void batch_norm_training_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &mean = call.inputs[2];
  const int64_t channels = mean.size();
  if (channels == 0) return;
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    const Periods shape = periods_of(dy.size(), channels);
    const ChannelFacts<A> facts{mean.as<const A>(), call.inputs[3].as<const A>(), call.inputs[4].as<const A>(),
                                call.inputs[5].as<const A>(), A(call.params[0])};
    const Scratch scratch = spread_scratch<A>(call.queue, shape, 5), partial = partial_scratch<A>(call.queue, shape);
    A* const spread = scratch.as<A>();
    A *const mean_dz = spread + 3 * shape.period, *const slope = spread + 4 * shape.period;
    launch_spread(call.queue, shape, facts, spread);
    const NormalizedGradient<Activation, A> gradient{Activation(call.params.data() + 1),
                                                     normalized_columns<A>(shape, spread)};
    launch_partials(call.queue, shape, GradientSums<Activation, T>{dy.as<const T>(), x.as<const T>(), gradient},
                    partial.as<A>());
    launch_sums(call.queue, channels, shape.repeat, shape.chunks, partial.as<const A>(),
                TrainingGradients<A>{facts, shape, call.outputs[1].as<A>(), call.outputs[2].as<A>(), mean_dz, slope});
    launch_column_map(call.queue, shape, BatchNormSlope<Activation, A>{gradient, mean_dz, slope},
                      call.outputs[0].as<T>(), dy.as<const T>(), x.as<const T>());
  });
}

template <class Body>
void dispatch_wide(DType dtype, Body body) {
  if (dtype == DType::kFloat64) return body(Type<double>{});
  if (dtype == DType::kFloat32) return body(Type<float>{});
  refuse_dtype(dtype, "float32 or float64");
}

// mean, variance -> their averages, overwritten in place; params: the share that is taken of the new ones, 1 to take
// none that is not finite
void batch_norm_averages(const Call& call) {
  const View &mean = call.inputs[0], &variance = call.inputs[1];
  const View &average_mean = call.outputs[0], &average_variance = call.outputs[1];
  dispatch_wide(mean.dtype, [&](auto from) {
    dispatch_wide(average_mean.dtype, [&](auto to) {
      using A = typename decltype(from)::type;
      using B = typename decltype(to)::type;
      launch(call.queue, elements(mean.size(), 4), move_averages_kernel<A, B>, mean.size(), call.params[0],
             call.params[1] != 0, mean.as<const A>(), variance.as<const A>(), average_mean.as<B>(),
             average_variance.as<B>());
    });
  });
}

template <class... Functors>
void add_all(OpTable& table, ActivationList<Functors...>) {
  const auto add = [&]<class Activation>() {
    const std::string name = Activation::kFacts.name;
    table.add({{name + "/batch_norm", batch_norm<Activation>},
               {name + "/batch_norm_training", batch_norm_training<Activation>},
               {name + "/batch_norm_training_backward", batch_norm_training_backward<Activation>}});
  };
  (add.template operator()<Functors>(), ...);
}

}  // namespace

void add_batch_norm_activation_ops(OpTable& table) {
  add_all(table, Activations{});
  table.add({{"batchNorm/averages", batch_norm_averages}});
}

}  // namespace selfnorm::SN_BUILD
