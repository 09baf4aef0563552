// Dropout ops. Params: [threshold, a, b, dropped] and for the fused form [..., SELU alpha, SELU scale]; the stamp is
// the last input. One op is dropout and alpha dropout, forward and backward: they differ in the constants.
#include "../kernels/dropout.cuh"

#include "random_map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int kMaskCost = 3, kSeluCost = 16;

template <class A>
MaskedAffine<A> mask_of(const Call& call) {
  return {int32_t(call.integer(0)), A(call.params[1]), A(call.params[2]), A(call.params[3])};
}
Selu selu_of(const Call& call) { return Selu(call.params.data() + 4); }

void dropout(const Call& call) {
  const View &x = call.inputs[0], &stamp = call.inputs[1], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_random_map<uint16_t>(call.queue, x.size(), kMaskCost, stamp, mask_of<Accumulate<T>>(call), y.as<T>(),
                                x.as<const T>());
  });
}

void selu_alpha_dropout_forward(const Call& call) {
  const View &x = call.inputs[0], &stamp = call.inputs[1], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const SeluMaskedAffine<Accumulate<T>> f{selu_of(call), mask_of<Accumulate<T>>(call)};
    launch_random_map<uint16_t>(call.queue, x.size(), kSeluCost, stamp, f, y.as<T>(), x.as<const T>());
  });
}

void selu_alpha_dropout_backward(const Call& call) {
  const View &dy = call.inputs[0], &x = call.inputs[1], &stamp = call.inputs[2], &dx = call.outputs[0];
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const SeluMaskedBackward<Accumulate<T>> f{selu_of(call), mask_of<Accumulate<T>>(call)};
    launch_random_map<uint16_t>(call.queue, dy.size(), kSeluCost, stamp, f, dx.as<T>(), dy.as<const T>(),
                                x.as<const T>());
  });
}

}  // namespace

void add_dropout_ops(OpTable& table) {
  table.add({
      {"dropout", dropout},
      {"selu_alpha_dropout/forward", selu_alpha_dropout_forward},
      {"selu_alpha_dropout/backward", selu_alpha_dropout_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
