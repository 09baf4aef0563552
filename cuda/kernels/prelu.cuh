// PReLU: x where positive, alpha x elsewhere, alpha broadcast to x. Backward is a reduction over the axes along which
// alpha stands still: as it reads an element for alpha's gradient, dx is written.
#pragma once

#include "reductions.cuh"

namespace selfnorm::SN_BUILD {

struct Prelu {
  template <class A>
  SN_HD A operator()(A x, A alpha) const {
    return x < A(0) ? alpha * x : x;
  }
};

template <class T>
struct PreluBackward {
  using State = Accumulate<T>;
  static constexpr bool kNeedsPlace = true;
  T* dx;
  const T *dy, *x, *alpha;
  SN_HD State operator()(int64_t at, int64_t, int64_t output) const {
    const State slope = load(dy[at]), value = load(x[at]), leak = slope * load(alpha[output]);
    dx[at] = store<T>(value > State(0) ? slope : leak);
    const State product = slope * value;
    return value > State(0) ? State(0) : product;
  }
};

}  // namespace selfnorm::SN_BUILD
