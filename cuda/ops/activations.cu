// Activation ops, made from the table: "<name>/forward" (x -> y), "<name>/backward" (dy, saved -> dx) and
// "<name>/second" (g, dy, saved -> d saved). Parameters come in the order of the functor's facts.
#include "../kernels/activation_functors.h"
#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int kCost = 16;

template <class Activation>
void activation_forward(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, x.size(), kCost, ActivationForward<Activation>{Activation(call.params.data())}, y.as<T>(),
               x.as<const T>());
  });
}

template <class Activation>
void activation_backward(const Call& call) {
  const View &dy = call.inputs[0], &saved = call.inputs[1], &dx = call.outputs[0];
  dispatch_float(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, dy.size(), kCost, ActivationBackward<Activation>{Activation(call.params.data())}, dx.as<T>(),
               dy.as<const T>(), saved.as<const T>());
  });
}

template <class Activation>
void activation_second(const Call& call) {
  const View &g = call.inputs[0], &dy = call.inputs[1], &saved = call.inputs[2], &out = call.outputs[0];
  dispatch_float(g.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, g.size(), kCost, ActivationSecond<Activation>{Activation(call.params.data())}, out.as<T>(),
               g.as<const T>(), dy.as<const T>(), saved.as<const T>());
  });
}

template <class... Functors>
void add_all(OpTable& table, ActivationList<Functors...>) {
  const auto add = [&]<class Activation>() {
    const std::string name = Activation::kFacts.name;
    table.activations.push_back(Activation::kFacts);
    table.add({{name + "/forward", activation_forward<Activation>},
               {name + "/backward", activation_backward<Activation>},
               {name + "/second", activation_second<Activation>}});
  };
  (add.template operator()<Functors>(), ...);
}

}  // namespace

void add_activation_ops(OpTable& table) { add_all(table, Activations{}); }

}  // namespace selfnorm::SN_BUILD
