// Elementwise ops of one operand: arithmetic, tests, clip, cast and fill.
#include "../kernels/elementwise.h"

#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int kCheap = 1, kTranscendental = 16;

template <class F, int Cost>
void float_unary(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, x.size(), Cost, F{}, y.as<T>(), x.as<const T>());
  });
}

template <class F>
void number_unary(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, x.size(), kCheap, F{}, y.as<T>(), x.as<const T>());
  });
}

template <class F>
void float_test(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, x.size(), kCheap, F{}, y.as<boolean>(), x.as<const T>());
  });
}

void logical_not(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  launch_map(call.queue, x.size(), kCheap, LogicalNot{}, y.as<boolean>(), x.as<const boolean>());
}

void clip(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, x.size(), kCheap, Clip{call.params[0], call.params[1]}, y.as<T>(), x.as<const T>());
  });
}

void cast(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_any(x.dtype, [&](auto from) {
    using From = typename decltype(from)::type;
    dispatch_any(y.dtype, [&](auto to) {
      using To = typename decltype(to)::type;
      launch_map(call.queue, x.size(), kCheap, Identity{}, y.as<To>(), x.as<const From>());
    });
  });
}

// From any dtype to a float one. Params: [scale, offset].
void rescale(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  const Rescale f{call.params[0], call.params[1]};
  dispatch_any(x.dtype, [&](auto from) {
    using From = typename decltype(from)::type;
    dispatch_float(y.dtype, [&](auto to) {
      using To = typename decltype(to)::type;
      launch_map(call.queue, x.size(), kCheap, f, y.as<To>(), x.as<const From>());
    });
  });
}

void assign(const Call& call) {
  const View &value = call.inputs[0], &variable = call.outputs[0];
  call.queue.copy(variable.data, value.data, size_t(value.size() * size_of(value.dtype)));
}

void fill(const Call& call) {
  const View& y = call.outputs[0];
  dispatch_any(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_map(call.queue, y.size(), kCheap, Constant{call.params[0]}, y.as<T>());
  });
}

}  // namespace

void add_elementwise_ops(OpTable& table) {
  table.add({
      {"neg", number_unary<Neg>},
      {"abs", number_unary<Abs>},
      {"sign", number_unary<Sign>},
      {"square", number_unary<Square>},
      {"sqrt", float_unary<Sqrt, 4>},
      {"rsqrt", float_unary<Rsqrt, 8>},
      {"exp", float_unary<Exp, kTranscendental>},
      {"expm1", float_unary<Expm1, kTranscendental>},
      {"log", float_unary<Log, kTranscendental>},
      {"log1p", float_unary<Log1p, kTranscendental>},
      {"reciprocal", float_unary<Reciprocal, 4>},
      {"floor", float_unary<Floor, kCheap>},
      {"ceil", float_unary<Ceil, kCheap>},
      {"round", float_unary<Round, kCheap>},
      {"isNaN", float_test<IsNan>},
      {"isInf", float_test<IsInf>},
      {"logicalNot", logical_not},
      {"clipByValue", clip},
      {"cast", cast},
      {"rescale", rescale},
      {"assign", assign},
      {"fill", fill},
  });
}

}  // namespace selfnorm::SN_BUILD
