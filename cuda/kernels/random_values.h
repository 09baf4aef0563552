// Distributions as functors of an element's 32 random bits, computed in A (float, or double for double).
#pragma once

#include "math.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// In [low, high): the lower end of one of 2^24 (double: 2^32) equal parts. Rounding may carry the last of them up to
// `high`, so results stop at `highest`, the number below it.
template <class A>
struct UniformDraw {
  double low, range, highest;
  SN_HD A operator()(uint32_t bits) const {
    const A unit = std::is_same_v<A, double> ? A(bits) * A(1.0 / 4294967296.0) : A(bits >> 8) * A(1.0 / 16777216.0);
    const A value = A(low) + A(range) * unit;
    return value < A(highest) ? value : A(highest);
  }
};

template <class Draw>
struct FloorOf {
  Draw draw;
  SN_HD double operator()(uint32_t bits) const { return math::floor(draw(bits)); }
};

template <class Draw>
struct RoundOf {
  Draw draw;
  SN_HD float operator()(uint32_t bits) const { return math::rint(draw(bits)); }
};

// Inverse of the error function for |x| = 1 - t, by Giles 2012, "Approximating the erfinv function": relative error
// below 4e-7 for t above 2^-25, 4e-4 at 2^-32. Takes t, the distance from 1, so that the tails keep their digits.
template <class A>
SN_HD A inverse_erf_of_rest(A t) {
  const A w = -math::log(t * (A(2) - t));
  const A near = w - A(2.5), far = math::sqrt(w) - A(3);
  A p = A(2.81022636e-08), q = A(-0.000200214257);
  p = A(3.43273939e-07) + p * near;
  p = A(-3.5233877e-06) + p * near;
  p = A(-4.39150654e-06) + p * near;
  p = A(0.00021858087) + p * near;
  p = A(-0.00125372503) + p * near;
  p = A(-0.00417768164) + p * near;
  p = A(0.246640727) + p * near;
  p = A(1.50140941) + p * near;
  q = A(0.000100950558) + q * far;
  q = A(0.00134934322) + q * far;
  q = A(-0.00367342844) + q * far;
  q = A(0.00573950773) + q * far;
  q = A(-0.0076224613) + q * far;
  q = A(0.00943887047) + q * far;
  q = A(1.00167406) + q * far;
  q = A(2.83297682) + q * far;
  return (w < A(5) ? p : q) * (A(1) - t);
}

// Normal, by the inverse of its distribution function; with `least` above 0 truncated symmetrically, so that |z| stays
// below the quantile where the rest of erf is `least` (2 standard deviations for truncatedNormal).
template <class A>
struct NormalDraw {
  double mean, deviation, least;
  SN_HD A operator()(uint32_t bits) const {
    constexpr double kRootTwo = 1.4142135623730950488;
    // One bit is the sign; the others give the rest t of |x| in (least, 1).
    const A part = (A(bits >> 1) + A(0.5)) * A(1.0 / 2147483648.0);
    const A size = A(kRootTwo) * inverse_erf_of_rest(A(least) + (A(1) - A(least)) * part);
    return A(mean) + A(deviation) * (bits & 1u ? -size : size);
  }
};

}  // namespace selfnorm::SN_BUILD
