// The gradient of a product: for every element, the product of all the others, from the products before and after it.
// Nothing is divided, so zeros need no special case; in dual numbers the same walk gives its derivative.
#pragma once

#include "dual.h"
#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

template <class T>
struct FactorValue {
  const T* x;
  SN_HD Accumulate<T> operator()(int64_t at) const { return load(x[at]); }
};
// x + e g
template <class T>
struct FactorDual {
  const T *x, *g;
  SN_HD Dual<Accumulate<T>> operator()(int64_t at) const { return {load(x[at]), load(g[at])}; }
};
template <class T>
struct StoreFactor {
  T* y;
  SN_HD void operator()(int64_t at, Accumulate<T> value) const { y[at] = store<T>(value); }
  SN_HD void operator()(int64_t at, Dual<Accumulate<T>> value) const { y[at] = store<T>(value.slope); }
};

SN_HD int64_t place_of(const Reduction& shape, int64_t position) {
  if (!shape.inner_reduced) return offset_of(shape.reduced, position);
  const int64_t run = position / shape.inner;
  return offset_of(shape.reduced, run) + (position - run * shape.inner);
}

// One thread a result of the reduction. `prefixes` has room for every element.
template <class S, class Factor, class Store>
__global__ void product_of_others_kernel(Reduction shape, Factor factor, Store store_at, S* prefixes) {
  const int64_t columns = shape.columns(), length = shape.length();
  const Range range = grid_range(shape.outputs * columns);
  for (int64_t result = range.begin; result < range.end; result += range.step) {
    const int64_t row = result / columns;
    const int64_t start = offset_of(shape.kept, row) + (result - row * columns);
    S before = S(1);
    for (int64_t position = 0; position < length; ++position) {
      const int64_t at = start + place_of(shape, position);
      prefixes[at] = before;
      before = before * factor(at);
    }
    S after = S(1);
    for (int64_t position = length - 1; position >= 0; --position) {
      const int64_t at = start + place_of(shape, position);
      store_at(at, prefixes[at] * after);
      after = after * factor(at);
    }
  }
}

}  // namespace selfnorm::SN_BUILD
