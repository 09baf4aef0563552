// Elementwise ops of two operands with broadcasting, and select. TypeScript has brought both operands to one dtype.
#include "../kernels/elementwise.h"

#include "broadcast_shape.h"
#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

template <class F, class In, class Out>
void launch_binary(const Call& call, int cost) {
  const View &a = call.inputs[0], &b = call.inputs[1], &y = call.outputs[0];
  const int64_t n = y.size();
  if (a.size() == n && b.size() == n) {
    launch_map(call.queue, n, cost, F{}, y.as<Out>(), a.as<const In>(), b.as<const In>());
  } else {
    const View operands[2] = {a, b};
    launch(call.queue, elements(n, cost), binary_broadcast_kernel<F, Out, In>, n, broadcast_shape(y, operands), F{},
           y.as<Out>(), a.as<const In>(), b.as<const In>());
  }
}

template <class F, int Cost = 1>
void arithmetic(const Call& call) {
  dispatch_number(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_binary<F, T, T>(call, Cost);
  });
}

template <class F>
void comparison(const Call& call) {
  dispatch_number(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_binary<F, T, boolean>(call, 1);
  });
}

template <class F>
void logical(const Call& call) {
  launch_binary<F, boolean, boolean>(call, 1);
}

void select(const Call& call) {
  const View &condition = call.inputs[0], &a = call.inputs[1], &b = call.inputs[2], &y = call.outputs[0];
  const View operands[3] = {condition, a, b};
  dispatch_size(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(y.size(), 8), select_kernel<T>, y.size(), broadcast_shape(y, operands), y.as<T>(),
           condition.as<const boolean>(), a.as<const T>(), b.as<const T>());
  });
}

}  // namespace

void add_binary_ops(OpTable& table) {
  table.add({
      {"add", arithmetic<Add>},
      {"sub", arithmetic<Sub>},
      {"mul", arithmetic<Mul>},
      {"div", arithmetic<Div, 4>},
      {"mod", arithmetic<Mod, 16>},
      {"pow", arithmetic<Pow, 64>},
      {"maximum", arithmetic<Maximum>},
      {"minimum", arithmetic<Minimum>},
      {"squaredDifference", arithmetic<SquaredDifference>},
      {"equal", comparison<Equal>},
      {"notEqual", comparison<NotEqual>},
      {"less", comparison<Less>},
      {"lessEqual", comparison<LessEqual>},
      {"greater", comparison<Greater>},
      {"greaterEqual", comparison<GreaterEqual>},
      {"logicalAnd", logical<LogicalAnd>},
      {"logicalOr", logical<LogicalOr>},
      {"where", select},
  });
}

}  // namespace selfnorm::SN_BUILD
