// PReLU: "prelu" (x, alpha -> y) and "prelu/backward" (dy, x, alpha -> dx, gradient of alpha).
#include "../kernels/prelu.cuh"

#include "broadcast_shape.h"
#include "map.h"
#include "reduce.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

void prelu(const Call& call) {
  const View &x = call.inputs[0], &alpha = call.inputs[1], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const View operands[2] = {x, alpha};
    launch(call.queue, elements(x.size(), 1), binary_broadcast_kernel<Prelu, T, T>, x.size(),
           broadcast_shape(y, operands), Prelu{}, y.as<T>(), x.as<const T>(), alpha.as<const T>());
  });
}

void prelu_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &alpha = call.inputs[2];
  const View &dx = call.outputs[0], &dalpha = call.outputs[1];
  uint32_t reduced = 0;
  for (int axis = 0; axis < x.rank; ++axis) {
    if (alpha.dim(axis - x.rank) != x.dims[axis]) reduced |= 1u << axis;
  }
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const PreluBackward<T> load_at{dx.as<T>(), dy.as<const T>(), x.as<const T>(), alpha.as<const T>()};
    reduce(call.queue, reduction_of(x, reduced), SumFold{}, load_at, StoreQuotient<T>{dalpha.as<T>(), 1}, 2);
  });
}

}  // namespace

void add_prelu_ops(OpTable& table) {
  table.add({
      {"prelu", prelu},
      {"prelu/backward", prelu_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
