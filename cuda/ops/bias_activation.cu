// For every activation of the table: "<name>/bias_forward" (x [..., columns], bias [columns] -> y = f(x + bias) and, as
// an optional second output, x + bias) and "<name>/bias_backward" (dy, saved -> dz, gradient of the bias).
#include "../kernels/bias_activation.cuh"

#include "map.h"
#include "matmul_passes.h"
#include "reduce.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int kCost = 16;

template <class Activation>
void bias_forward(const Call& call) {
  const View &x = call.inputs[0], &bias = call.inputs[1], &y = call.outputs[0];
  const int64_t n = x.size(), columns = bias.size();
  const Activation activation(call.params.data());
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* const z = call.outputs.size() > 1 ? call.outputs[1].as<T>() : nullptr;
    constexpr int kWidth = kPackWidth<T>;
    const bool packs = kWidth > 1 && columns % kWidth == 0 && aligned_to_pack(x.data) && aligned_to_pack(bias.data) &&
                       aligned_to_pack(y.data) && aligned_to_pack(z);
    if (packs) {
      launch(call.queue, elements(n, kCost, kWidth), bias_forward_kernel<kWidth, Activation, T>, n, columns, activation,
             y.as<T>(), z, x.as<const T>(), bias.as<const T>());
    } else {
      launch(call.queue, elements(n, kCost), bias_forward_kernel<1, Activation, T>, n, columns, activation, y.as<T>(),
             z, x.as<const T>(), bias.as<const T>());
    }
  });
}

template <class Activation>
void bias_backward(const Call& call) {
  const View &dy = call.inputs[0], &saved = call.inputs[1], &dz = call.outputs[0], &dbias = call.outputs[1];
  const int64_t columns = dbias.size(), rows = columns == 0 ? 0 : dy.size() / columns;
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Load = BiasBackward<Activation, T>;
    const Load load_at{Activation(call.params.data()), dz.as<T>(), dy.as<const T>(), saved.as<const T>()};
    // Always in two stages and by the one kernel: others would be compiled once for each activation.
    reduce_columns(call.queue, rows, columns, SumFold{}, load_at, StoreQuotient<T>{dbias.as<T>(), 1}, kCost);
  });
}

template <class... Functors>
void add_all(OpTable& table, ActivationList<Functors...>) {
  const auto add = [&]<class Activation>() {
    const std::string name = Activation::kFacts.name;
    table.add(
        {{name + "/bias_forward", bias_forward<Activation>}, {name + "/bias_backward", bias_backward<Activation>}});
  };
  (add.template operator()<Functors>(), ...);
}

}  // namespace

void add_up_rows(Queue& queue, const float* partials, int64_t rows, int64_t columns, DType dtype, void* sums) {
  dispatch_float(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce(queue, reduction_of(1, rows, columns), SumFold{}, LoadPartial<float>{partials},
           StoreQuotient<T>{static_cast<T*>(sums), 1}, 1, false);
  });
}

void add_bias_activation_ops(OpTable& table) { add_all(table, Activations{}); }

}  // namespace selfnorm::SN_BUILD
