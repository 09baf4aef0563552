// Dual numbers: value and slope together. An activation writes its derivative once, as a template; evaluated on duals
// it yields the second derivative too, so second-order gradients need no third formula.
#pragma once

#include "math.h"

namespace selfnorm::SN_BUILD {

template <class A>
struct Dual {
  A value, slope;
  SN_HD Dual(double constant) : value(A(constant)), slope(A(0)) {}
  SN_HD Dual(A v, A s) : value(v), slope(s) {}

  friend SN_HD Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend SN_HD Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
  friend SN_HD Dual operator-(Dual a) { return {-a.value, -a.slope}; }
  friend SN_HD Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
  friend SN_HD Dual operator/(Dual a, Dual b) {
    const A quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  friend SN_HD bool operator<(Dual a, Dual b) { return a.value < b.value; }
  friend SN_HD bool operator>(Dual a, Dual b) { return a.value > b.value; }
  friend SN_HD bool operator<=(Dual a, Dual b) { return a.value <= b.value; }
  friend SN_HD bool operator>=(Dual a, Dual b) { return a.value >= b.value; }
};

namespace math {

template <class A>
SN_HD Dual<A> exp(Dual<A> x) {
  const A y = exp(x.value);
  return {y, x.slope * y};
}
template <class A>
SN_HD Dual<A> expm1(Dual<A> x) {
  return {expm1(x.value), x.slope * exp(x.value)};
}
template <class A>
SN_HD Dual<A> tanh(Dual<A> x) {
  const A y = tanh(x.value);
  return {y, x.slope * (A(1) - y * y)};
}
template <class A>
SN_HD Dual<A> sigmoid(Dual<A> x) {
  // sigmoid(-x), not 1 - sigmoid(x), which loses every digit for large x.
  const A y = sigmoid(x.value);
  return {y, x.slope * y * sigmoid(-x.value)};
}
template <class A>
SN_HD Dual<A> softplus1(Dual<A> x) {
  return {softplus1(x.value), x.slope * sigmoid(x.value)};
}
template <class A>
SN_HD Normal<Dual<A>> normal(Dual<A> x) {
  const auto [cdf, density] = normal(x.value);
  return {{cdf, x.slope * density}, {density, -x.value * density * x.slope}};
}
template <class A>
SN_HD Dual<A> abs(Dual<A> x) {
  return {abs(x.value), x.value < A(0) ? -x.slope : x.slope};
}

}  // namespace math
}  // namespace selfnorm::SN_BUILD
