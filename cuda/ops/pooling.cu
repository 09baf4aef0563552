// Pooling ops. Parameters: filter height and width, strides down and right, padding above and left.
//   "maxPool" x -> y                "avgPool" x -> y
//   "maxPool/backward" (dy, x, y) -> dx    "avgPool/backward" dy -> dx
//   "maxPool/pick" (g, x, y) -> g at the places of the maxima
#include "../kernels/pooling.cuh"

#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

PoolShape pool_shape(const View& x, const View& y, const Call& call) {
  return {x.dim(0),        x.dim(1),        x.dim(2),        x.dim(3),        y.dim(1),        y.dim(2),
          call.integer(0), call.integer(1), call.integer(2), call.integer(3), call.integer(4), call.integer(5)};
}

template <class Pool, class T, class... In>
void launch_pool(Queue& queue, const PoolShape& s, int64_t height, int64_t width, T* output, const In*... inputs) {
  // The compiler makes the CPU's vectors from packs of this many channels.
  constexpr int kCpuLanes = 16;
  constexpr int kLanes = kManyThreads ? kPackWidth<T> : kCpuLanes;
  const int64_t pixels = s.batch * height * width;
  const int cost = int(2 * s.filter_height * s.filter_width);
  const bool packs =
      !kManyThreads || (s.channels % kLanes == 0 && aligned_to_pack(output) && (aligned_to_pack(inputs) && ...));
  if (packs) {
    launch(queue, elements(pixels * ((s.channels + kLanes - 1) / kLanes), cost * kLanes),
           pool_kernel<kLanes, Pool, T, In...>, s, height, width, output, inputs...);
  } else {
    launch(queue, elements(pixels * s.channels, cost), pool_kernel<1, Pool, T, In...>, s, height, width, output,
           inputs...);
  }
}

void max_pool(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_pool<MaxPool>(call.queue, pool_shape(x, y, call), y.dim(1), y.dim(2), y.as<T>(), x.as<const T>());
  });
}

void max_pool_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &y = call.inputs[2], &dx = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const PoolShape s = pool_shape(x, y, call);
    if (MaxPoolTilesBackward::fits(s)) {
      using Tiles = MaxPoolTilesBackward;
      launch_pool<Tiles>(call.queue, s, Tiles::tiles(s.in_height, s.pad_top, s.stride_height),
                         Tiles::tiles(s.in_width, s.pad_left, s.stride_width), dx.as<T>(), dy.as<const T>(),
                         x.as<const T>(), y.as<const T>());
    } else {
      launch_pool<MaxPoolBackward>(call.queue, s, s.in_height, s.in_width, dx.as<T>(), dy.as<const T>(),
                                   x.as<const T>(), y.as<const T>());
    }
  });
}

void max_pool_pick(const Call& call) {
  const View &g = call.inputs[0], &x = call.inputs[1], &y = call.inputs[2], &out = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_pool<MaxPoolPick>(call.queue, pool_shape(x, y, call), y.dim(1), y.dim(2), out.as<T>(), g.as<const T>(),
                             x.as<const T>(), y.as<const T>());
  });
}

void avg_pool(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_pool<AvgPool>(call.queue, pool_shape(x, y, call), y.dim(1), y.dim(2), y.as<T>(), x.as<const T>());
  });
}

void avg_pool_backward(const Call& call) {
  const View &dy = call.inputs[0], &dx = call.outputs[0];
  dispatch_float(dx.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_pool<AvgPoolBackward>(call.queue, pool_shape(dx, dy, call), dx.dim(1), dx.dim(2), dx.as<T>(),
                                 dy.as<const T>());
  });
}

}  // namespace

void add_pooling_ops(OpTable& table) {
  table.add({
      {"maxPool", max_pool},
      {"maxPool/backward", max_pool_backward},
      {"maxPool/pick", max_pool_pick},
      {"avgPool", avg_pool},
      {"avgPool/backward", avg_pool_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
