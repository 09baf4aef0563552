// Functors of the elementwise ops. Integer arithmetic wraps and division by zero gives 0, on every device alike, where
// C++ leaves them undefined. maximum, minimum and clip keep NaN, as tfjs does.
#pragma once

#include "math.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// Wrapping integer arithmetic goes through the unsigned type; floats compute directly.
template <class A>
using Wrapping = std::conditional_t<std::is_same_v<A, int32_t>, uint32_t, A>;

struct Add {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return A(Wrapping<A>(a) + Wrapping<A>(b));
  }
};
struct Sub {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return A(Wrapping<A>(a) - Wrapping<A>(b));
  }
};
struct Mul {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return A(Wrapping<A>(a) * Wrapping<A>(b));
  }
};

// int32 divides towards minus infinity, as tfjs's floorDiv; widened to 64 bits so that INT_MIN / -1 wraps.
SN_HD int32_t floor_divide(int32_t a, int32_t b) {
  if (b == 0) return 0;
  const int64_t quotient = int64_t(a) / b, remainder = int64_t(a) % b;
  return int32_t(uint32_t(quotient - (remainder != 0 && (remainder < 0) != (b < 0))));
}
struct Div {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    if constexpr (std::is_integral_v<A>) {
      return floor_divide(a, b);
    } else {
      return a / b;
    }
  }
};
// The remainder has the divisor's sign, as in tfjs and Python.
struct Mod {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    if constexpr (std::is_integral_v<A>) {
      return b == 0 ? 0 : int32_t(uint32_t(a) - uint32_t(floor_divide(a, b)) * uint32_t(b));
    } else {
      const A remainder = std::fmod(a, b);
      const bool other_side = remainder != A(0) && (remainder < A(0)) != (b < A(0));
      return other_side ? remainder + b : remainder;
    }
  }
};
struct Pow {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    if constexpr (std::is_integral_v<A>) {
      return saturate<A>(std::pow(double(a), double(b)));
    } else {
      return math::pow(a, b);
    }
  }
};
struct Maximum {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    const A larger = a > b ? a : b;
    return a != a ? a : larger;
  }
};
struct Minimum {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    const A smaller = a < b ? a : b;
    return a != a ? a : smaller;
  }
};
struct SquaredDifference {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return Mul{}(Sub{}(a, b), Sub{}(a, b));
  }
};

struct Equal {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a == b;
  }
};
struct NotEqual {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a != b;
  }
};
struct Less {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a < b;
  }
};
struct LessEqual {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a <= b;
  }
};
struct Greater {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a > b;
  }
};
struct GreaterEqual {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return a >= b;
  }
};
struct LogicalAnd {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return bool(a != A(0)) & bool(b != A(0));
  }
};
struct LogicalOr {
  template <class A>
  SN_HD bool operator()(A a, A b) const {
    return bool(a != A(0)) | bool(b != A(0));
  }
};

struct Neg {
  template <class A>
  SN_HD A operator()(A x) const {
    return A(-Wrapping<A>(x));
  }
};
struct Abs {
  template <class A>
  SN_HD A operator()(A x) const {
    if constexpr (std::is_integral_v<A>) {
      return x < 0 ? Neg{}(x) : x;
    } else {
      return math::abs(x);
    }
  }
};
struct Sign {
  template <class A>
  SN_HD A operator()(A x) const {
    const A nonzero = x > A(0) ? A(1) : A(-1);
    return x == A(0) || x != x ? x : nonzero;
  }
};
struct Square {
  template <class A>
  SN_HD A operator()(A x) const {
    return Mul{}(x, x);
  }
};
struct Sqrt {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::sqrt(x);
  }
};
struct Rsqrt {
  template <class A>
  SN_HD A operator()(A x) const {
    return A(1) / math::sqrt(x);
  }
};
struct Exp {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::exp(x);
  }
};
struct Expm1 {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::expm1(x);
  }
};
struct Log {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::log(x);
  }
};
struct Log1p {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::log1p(x);
  }
};
struct Reciprocal {
  template <class A>
  SN_HD A operator()(A x) const {
    return A(1) / x;
  }
};
struct Floor {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::floor(x);
  }
};
struct Ceil {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::ceil(x);
  }
};
// Halves go to the even neighbour, as in tfjs, NumPy and IEEE 754.
struct Round {
  template <class A>
  SN_HD A operator()(A x) const {
    return math::rint(x);
  }
};
struct IsNan {
  template <class A>
  SN_HD bool operator()(A x) const {
    return x != x;
  }
};
struct IsInf {
  template <class A>
  SN_HD bool operator()(A x) const {
    return math::abs(x) == math::kInfinity<A>;
  }
};
struct LogicalNot {
  template <class A>
  SN_HD bool operator()(A x) const {
    return x == A(0);
  }
};
struct Clip {
  double low, high;
  template <class A>
  SN_HD A operator()(A x) const {
    const A capped = x > store<A>(high) ? store<A>(high) : x;
    return x < store<A>(low) ? store<A>(low) : capped;
  }
};
struct Identity {
  template <class A>
  SN_HD A operator()(A x) const {
    return x;
  }
};
// In double whatever goes in and comes out, and rounded once: of a byte and 1/255 that is the nearest number to byte /
// 255 in every float type narrower than double.
struct Rescale {
  double scale, offset;
  template <class A>
  SN_HD double operator()(A x) const {
    return double(x) * scale + offset;
  }
};
struct Constant {
  double value;
  SN_HD double operator()() const { return value; }
};

}  // namespace selfnorm::SN_BUILD
