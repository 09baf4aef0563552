// Reductions over any axes. Params: the reduced axes.
#include "../kernels/product_of_others.cuh"

#include "reduce.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

uint32_t reduced_axes(const Call& call) {
  uint32_t reduced = 0;
  for (const double axis : call.params) reduced |= 1u << int(axis);
  return reduced;
}

Reduction shape_of(const Call& call) { return reduction_of(call.inputs[0], reduced_axes(call)); }

template <class S, class Factor, class Store>
void launch_product_of_others(const Call& call, S* prefixes, Factor factor, Store store_at) {
  const View& x = call.outputs[0];
  if (x.size() == 0) return;
  const Reduction shape = reduction_of(x, reduced_axes(call));
  launch(call.queue, elements(shape.outputs * shape.columns(), 8 * shape.length()),
         product_of_others_kernel<S, Factor, Store>, shape, factor, store_at, prefixes);
}

template <class Fold, class T, class Out>
void reduce_values(const Call& call, double divisor) {
  using S = ReduceAccumulate<T>;
  reduce(call.queue, shape_of(call), Fold{}, LoadValue<S, T>{call.inputs[0].as<const T>()},
         StoreQuotient<Out>{call.outputs[0].as<Out>(), divisor});
}

template <class Fold>
void number_reduction(const Call& call) {
  dispatch_number(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce_values<Fold, T, T>(call, 1);
  });
}

// Bytes and booleans add up to int32.
void sum(const Call& call) {
  dispatch_any(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce_values<SumFold, T, std::conditional_t<sizeof(T) == 1, int32_t, T>>(call, 1);
  });
}

void mean(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  const double count = x.size() == 0 ? 0 : double(x.size()) / double(y.size());
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce_values<SumFold, T, T>(call, count);
  });
}

void euclidean_norm(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce(call.queue, shape_of(call), SumFold{}, LoadSquare<Accumulate<T>, T>{x.as<const T>()},
           StoreRoot<T>{y.as<T>()});
  });
}

void log_sum_exp(const Call& call) {
  constexpr int kCost = 16;
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce(call.queue, shape_of(call), LogSumExpFold{}, LoadExponent<Accumulate<T>, T>{x.as<const T>()},
           StoreLogSum<T>{y.as<T>()}, kCost);
  });
}

template <class Fold>
void bool_reduction(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  reduce(call.queue, shape_of(call), Fold{}, LoadValue<int32_t, boolean>{x.as<const boolean>()},
         StoreQuotient<boolean>{y.as<boolean>(), 1});
}

template <bool kLargest>
void arg_reduction(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    reduce(call.queue, shape_of(call), ArgFold<kLargest>{}, LoadIndexed<Accumulate<T>, T>{x.as<const T>()},
           StorePosition{y.as<int32_t>()}, 2);
  });
}

// x -> the product of all other elements along the reduced axes.
void product_of_others(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using S = Accumulate<T>;
    const Scratch prefixes(call.queue, size_t(x.size()) * sizeof(S));
    launch_product_of_others(call, prefixes.as<S>(), FactorValue<T>{x.as<const T>()}, StoreFactor<T>{y.as<T>()});
  });
}

// (g, x) -> gradient of sum(g others(x)) by x: the slope of the same products of x + e g.
void product_of_others_backward(const Call& call) {
  const View &g = call.inputs[0], &x = call.inputs[1], &dx = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using S = Dual<Accumulate<T>>;
    const Scratch prefixes(call.queue, size_t(x.size()) * sizeof(S));
    launch_product_of_others(call, prefixes.as<S>(), FactorDual<T>{x.as<const T>(), g.as<const T>()},
                             StoreFactor<T>{dx.as<T>()});
  });
}

}  // namespace

void add_reduction_ops(OpTable& table) {
  table.add({
      {"sum", sum},
      {"mean", mean},
      {"prod", number_reduction<ProductFold>},
      {"max", number_reduction<MaxFold>},
      {"min", number_reduction<MinFold>},
      {"any", bool_reduction<AnyFold>},
      {"all", bool_reduction<AllFold>},
      {"argMax", arg_reduction<true>},
      {"argMin", arg_reduction<false>},
      {"euclideanNorm", euclidean_norm},
      {"logSumExp", log_sum_exp},
      {"productOfOthers", product_of_others},
      {"productOfOthers/backward", product_of_others_backward},
  });
}

}  // namespace selfnorm::SN_BUILD
