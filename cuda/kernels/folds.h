// What reductions fold: a state, its identity, how two states join, how a state is read from elements and stored as a
// result. Joining is associative, so the kernels of reductions.cuh may cut an axis anywhere.
#pragma once

#include "math.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// States of integers are 64 bits wide, so that only the final store wraps.
template <class T>
using ReduceAccumulate = std::conditional_t<std::is_same_v<Accumulate<T>, int32_t>, int64_t, Accumulate<T>>;

struct SumFold {
  template <class S>
  static SN_HD S identity() {
    return S(0);
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    if constexpr (std::is_integral_v<S>) {
      return S(uint64_t(a) + uint64_t(b));
    } else {
      return a + b;
    }
  }
};
struct ProductFold {
  template <class S>
  static SN_HD S identity() {
    return S(1);
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    if constexpr (std::is_integral_v<S>) {
      return S(uint64_t(a) * uint64_t(b));
    } else {
      return a * b;
    }
  }
};
// A name of its own: device code may use the constant but not call the host function that makes it.
template <class S>
inline constexpr S kLowest = std::is_integral_v<S> ? std::numeric_limits<S>::min() : -math::kInfinity<S>;
template <class S>
inline constexpr S kHighest = std::is_integral_v<S> ? std::numeric_limits<S>::max() : math::kInfinity<S>;

// NaN wins.
struct MaxFold {
  template <class S>
  static SN_HD S identity() {
    return kLowest<S>;
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    return math::max_nan(a, b);
  }
};
struct MinFold {
  template <class S>
  static SN_HD S identity() {
    return kHighest<S>;
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    return math::min_nan(a, b);
  }
};
struct AnyFold {
  template <class S>
  static SN_HD S identity() {
    return S(0);
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    return a | b;
  }
};
struct AllFold {
  template <class S>
  static SN_HD S identity() {
    return S(1);
  }
  template <class S>
  SN_HD S operator()(S a, S b) const {
    return a & b;
  }
};

// A value with its position along the reduced axis.
template <class A>
struct Indexed {
  A value;
  int32_t position;  // -1: none yet
};

// The first of the largest (or smallest) values; NaN beats every number.
template <bool kLargest>
struct ArgFold {
  using Value = std::conditional_t<kLargest, MaxFold, MinFold>;

  template <class S>
  static SN_HD S identity() {
    return {decltype(S::value)(0), -1};
  }
  template <class A>
  SN_HD Indexed<A> operator()(Indexed<A> a, Indexed<A> b) const {
    if (a.position < 0) return b;
    if (b.position < 0) return a;
    const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan) return a_nan ? a : b;
    const bool b_better = kLargest ? b.value > a.value : b.value < a.value;
    const bool same = a_nan || a.value == b.value;
    return b_better || (same && b.position < a.position) ? b : a;
  }
};

// sum(exp(x)) as total * exp(largest): neither overflows nor vanishes.
template <class A>
struct ScaledSum {
  A largest, total;
};

struct LogSumExpFold {
  template <class S>
  static SN_HD S identity() {
    return {kLowest<decltype(S::largest)>, 0};
  }
  template <class A>
  SN_HD ScaledSum<A> operator()(ScaledSum<A> a, ScaledSum<A> b) const {
    // Equal infinities have difference 0; a NaN stays one.
    const A difference = a.largest == b.largest ? A(0) : math::abs(a.largest - b.largest);
    const A smaller = math::exp(-difference);
    const bool a_larger = a.largest >= b.largest;
    return {math::max_nan(a.largest, b.largest), a_larger ? a.total + b.total * smaller : a.total * smaller + b.total};
  }
};

// ---- Reading: the state of the element at offset `at`, which is the `position`th of output number `output` ----

template <class S, class T>
struct LoadValue {
  using State = S;
  static constexpr bool kNeedsPlace = false;
  const T* x;
  SN_HD S operator()(int64_t at, int64_t, int64_t) const { return S(load(x[at])); }
};
template <class S, class T>
struct LoadSquare {
  using State = S;
  static constexpr bool kNeedsPlace = false;
  const T* x;
  SN_HD S operator()(int64_t at, int64_t, int64_t) const {
    const S value = load(x[at]);
    return value * value;
  }
};
template <class A, class T>
struct LoadIndexed {
  using State = Indexed<A>;
  static constexpr bool kNeedsPlace = true;
  const T* x;
  SN_HD State operator()(int64_t at, int64_t position, int64_t) const { return {A(load(x[at])), int32_t(position)}; }
};
template <class A, class T>
struct LoadExponent {
  using State = ScaledSum<A>;
  static constexpr bool kNeedsPlace = false;
  const T* x;
  SN_HD State operator()(int64_t at, int64_t, int64_t) const { return {A(load(x[at])), A(1)}; }
};
// Later stages read partial results; floats go on in double, which costs nothing there.
template <class S>
struct LoadPartial {
  using State = std::conditional_t<std::is_same_v<S, float>, double, S>;
  static constexpr bool kNeedsPlace = false;
  const S* x;
  SN_HD State operator()(int64_t at, int64_t, int64_t) const { return x[at]; }
};

// ---- Storing: partial results as they are, the last stage in the output's dtype ----

template <class S>
struct StorePartial {
  S* y;
  SN_HD void operator()(int64_t output, S value) const { y[output] = value; }
};
template <class T>
struct StoreQuotient {
  T* y;
  double divisor;
  template <class S>
  SN_HD void operator()(int64_t output, S value) const {
    if constexpr (std::is_integral_v<S>) {
      y[output] = store<T>(int32_t(uint64_t(value)));
    } else {
      y[output] = store<T>(value / S(divisor));
    }
  }
};
template <class T>
struct StoreRoot {
  T* y;
  template <class S>
  SN_HD void operator()(int64_t output, S value) const {
    y[output] = store<T>(math::sqrt(value));
  }
};
struct StorePosition {
  int32_t* y;
  template <class A>
  SN_HD void operator()(int64_t output, Indexed<A> value) const {
    y[output] = value.position;
  }
};
template <class T>
struct StoreLogSum {
  T* y;
  template <class A>
  SN_HD void operator()(int64_t output, ScaledSum<A> value) const {
    // The logarithm of an infinite maximum's total would be infinite with the other sign, or NaN.
    const A sum = value.largest + math::log(value.total);
    y[output] = store<T>(math::is_inf(value.largest) ? value.largest : sum);
  }
};

}  // namespace selfnorm::SN_BUILD
