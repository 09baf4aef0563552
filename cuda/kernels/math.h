// The transcendental functions every kernel uses, for float and double, NaN and infinity included.
// The host's float versions are straight-line polynomials with selects: a loop that calls them becomes SIMD code on any
// CPU level without a vector maths library. Double and the GPU take the standard library's and CUDA's own functions.
// Included by relative path only: this folder on the include path would hide the system's <math.h>.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "portable.h"

namespace selfnorm::SN_BUILD::math {

// ---- Both types: exact or nearly so everywhere ----

SN_HD float abs(float x) { return std::fabs(x); }
SN_HD double abs(double x) { return std::fabs(x); }
SN_HD float copysign(float magnitude, float sign) { return std::copysign(magnitude, sign); }
SN_HD double copysign(double magnitude, double sign) { return std::copysign(magnitude, sign); }
SN_HD float sqrt(float x) { return std::sqrt(x); }
SN_HD double sqrt(double x) { return std::sqrt(x); }
SN_HD float floor(float x) { return std::floor(x); }
SN_HD double floor(double x) { return std::floor(x); }
SN_HD float ceil(float x) { return std::ceil(x); }
SN_HD double ceil(double x) { return std::ceil(x); }
SN_HD float trunc(float x) { return std::trunc(x); }
SN_HD double trunc(double x) { return std::trunc(x); }
/** Rounds to the nearest integer, halves to the even one. */
SN_HD float rint(float x) { return std::rint(x); }
SN_HD double rint(double x) { return std::rint(x); }
SN_HD float sin(float x) { return std::sin(x); }
SN_HD double sin(double x) { return std::sin(x); }
SN_HD float cos(float x) { return std::cos(x); }
SN_HD double cos(double x) { return std::cos(x); }
SN_HD float pow(float base, float exponent) { return std::pow(base, exponent); }
SN_HD double pow(double base, double exponent) { return std::pow(base, exponent); }

/** a b + c: one rounding where the target has the instruction, two where std::fma would be a slow library call. */
SN_HD float fma(float a, float b, float c) { return a * b + c; }
SN_HD double fma(double a, double b, double c) { return a * b + c; }

// A name of its own: device code may use the constant but not call the host function that makes it.
template <class T>
inline constexpr T kInfinity = std::numeric_limits<T>::infinity();

template <class T>
SN_HD bool is_nan(T x) {
  return x != x;
}
template <class T>
SN_HD bool is_inf(T x) {
  return abs(x) == kInfinity<T>;
}

/** The larger of a and b, NaN if either is (std::fmax would drop it). */
template <class T>
SN_HD T max_nan(T a, T b) {
  return (a > b) | (a != a) ? a : b;
}
/** The smaller of a and b, NaN if either is. */
template <class T>
SN_HD T min_nan(T a, T b) {
  return (a < b) | (a != a) ? a : b;
}

/** The standard normal distribution at a point: its distribution function and its density. */
template <class T>
struct Normal {
  T cdf, density;
};
inline constexpr double kInverseRootTwoPi = 0.3989422804014326779;

#if SN_GPU

using std::erf;
using std::erfc;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::tanh;
SN_HD float rsqrt(float x) { return ::rsqrtf(x); }
SN_HD double rsqrt(double x) { return ::rsqrt(x); }
SN_HD float normal_cdf(float x) { return ::normcdff(x); }
SN_HD double normal_cdf(double x) { return ::normcdf(x); }
SN_HD double cos_pi(double x) { return ::cospi(x); }

#else

inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double log(double x) { return std::log(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }
inline double erfc(double x) { return std::erfc(x); }

/** 1 / sqrt(x). */
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }

/** cos(pi x), without the table in local memory that CUDA's cos needs for large angles. */
inline double cos_pi(double x) { return std::cos(3.14159265358979323846 * x); }

/** Distribution function of the standard normal, erfc(-x / sqrt(2)) / 2, relatively precise in the lower tail too. */
inline double normal_cdf(double x) {
  // erfc multiplies a relative error of its argument by 2 a^2, about 1400 at the far end: what the product x / sqrt(2)
  // lost is put back to first order.
  const double kInverseSqrt2 = 0.70710678118654752440, kInverseSqrt2Low = -4.8336466567264567e-17;
  const double clamped = x < -40.0 ? -40.0 : x > 40.0 ? 40.0 : x;
  const double a = -clamped * kInverseSqrt2;
  const double lost = std::fma(-clamped, kInverseSqrt2, -a) - clamped * kInverseSqrt2Low;
  return 0.5 * std::erfc(a) - lost * 0.56418958354775628695 * std::exp(-a * a);
}

// ---- Parts of the float polynomials ----
// Coefficients: Sollya's fpminimax over the interval named beside them. A constant in two parts has a high part of few
// bits, so that its products with small integers are exact also without FMA.
namespace single {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kLog2E = 1.44269504f;
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

// Adding it rounds to an integer, which then stands in the low bits of the sum.
inline constexpr float kRound = 12582912.0f;

// c0 + c1 x + c2 x^2 + ... by Horner's rule.
inline float polynomial(float, float c0) { return c0; }
template <class... Rest>
inline float polynomial(float x, float c0, Rest... rest) {
  return c0 + x * polynomial(x, rest...);
}

// e^r - 1 for |r| <= ln(2) / 2, without its linear term, which the caller adds.
inline float expm1_beyond_linear(float r, float r_squared) {
  return r_squared * polynomial(r, 0.49999982f, 0.16666517f, 4.16707136e-2f, 8.36913288e-3f, 1.36998156e-3f);
}

// Limits are taken on the bits, which order floats of one sign as integers: a min instruction each, where comparing
// floats makes g++ compute the limited cases apart and blend them in. NaN becomes the limit: callers put it back.
inline float at_most(float x, float positive_limit) {
  const int32_t bits = bit_copy<int32_t>(x), limit = bit_copy<int32_t>(positive_limit);
  return bit_copy<float>(bits < limit ? bits : limit);
}
inline float at_least(float x, float negative_limit) {
  const uint32_t bits = bit_copy<uint32_t>(x), limit = bit_copy<uint32_t>(negative_limit);
  return bit_copy<float>(bits < limit ? bits : limit);
}

// A power of two from the low 8 bits, the biased exponent, of a rounded sum.
inline float power_of_two(uint32_t exponent_bits) { return bit_copy<float>(exponent_bits << 23); }

// 2^n as the product of two floats, from the bits of kRound + 254 + n: multiplying by one and then by the other reaches
// infinity and the denormals gradually, with one rounding.
struct PowerOfTwo {
  float first, second;
  explicit PowerOfTwo(uint32_t bits) : first(power_of_two(bits >> 1)), second(power_of_two(bits - (bits >> 1))) {}
};

// log(1 + f) + e ln(2) for f in [sqrt(1/2) - 1, sqrt(2) - 1].
inline float log_of_parts(float f, float e) {
  const float p = polynomial(f, 0.333333403f, -0.250010639f, 0.200010315f, -0.166160062f, 0.141990364f, -0.132200167f,
                             0.128097922f, -7.55306929e-2f);
  const float f_squared = f * f;
  const float y = f_squared * (f * p - 0.5f) + e * kLn2Low;
  return e * kLn2High + (f + y);
}

inline constexpr uint32_t kSqrtHalfBits = 0x3f3504f3u;
inline constexpr uint32_t kMantissaMask = 0x007fffffu;

// erf(x) - x, odd, for |x| < 0.7.
inline float erf_beyond_linear(float x) {
  return x *
         polynomial(x * x, 0.128379166f, -0.376126230f, 0.112834632f, -2.68404577e-2f, 5.12953149e-3f, -6.88331609e-4f);
}

// Upper tails as exp(-kSquareFactor a^2) v (kLeading + v (kSecond + v further(v))) with v = 1 / (a + kShift).
struct ErfcTail {  // a in [0.7, 10.2]
  static constexpr float kSquareFactor = 1.0f, kUnderflow = 10.2f;
  static constexpr double kShift = 1.5, kLeading = 0.56421875204397058;
  static constexpr float kSecond = 0.844951570f;
  static float further(float v) {
    return polynomial(v, 1.01293314f, 0.365145326f, 1.16310740f, -8.42075253f, 11.2276211f, -5.01369238f);
  }
};
struct NormalTail {  // a in [1, 14.3]
  static constexpr float kSquareFactor = 0.5f, kUnderflow = 14.3f;
  static constexpr double kShift = 2.125, kLeading = 0.39896359963964451;
  static constexpr float kSecond = 0.846380949f;
  static float further(float v) {
    return polynomial(v, 1.43962729f, 0.734698713f, 3.38770533f, -34.0297394f, 63.9165230f, -40.2605515f);
  }
};

// Four factors meet here, and in float their roundings would add up to 3 ulp and more: FMA keeps the products exact
// until they meet; without it the last ones are made in double.
struct TailAndDensity {
  float tail, density;
};
template <class Tail>
inline TailAndDensity upper_tail(float magnitude) {
  const float a = at_most(magnitude, Tail::kUnderflow);
#if defined(__FMA__)
  const float scaled = -Tail::kSquareFactor * a;
  const float rounded = scaled * a * kLog2E + (kRound + 254.0f);
  const float n = rounded - (kRound + 254.0f);
  const float r = std::fma(scaled, a, -n * kLn2High) - n * kLn2Low;
#else
  // The square in two parts: 12 bits squared are exact, and e^-x needs the absolute error of x, not the relative one.
  const float head = bit_copy<float>(bit_copy<uint32_t>(a) & 0xfffff000u);
  const float square_high = -Tail::kSquareFactor * (head * head);
  const float square_low = Tail::kSquareFactor * ((head - a) * (head + a));
  const float rounded = (square_high + square_low) * kLog2E + (kRound + 254.0f);
  const float n = rounded - (kRound + 254.0f);
  const float r = (square_high - n * kLn2High) + (square_low - n * kLn2Low);
#endif
  const float q = r + expm1_beyond_linear(r, r * r);
  const PowerOfTwo power(bit_copy<uint32_t>(rounded));
#if defined(__FMA__)
  constexpr float kShift = float(Tail::kShift), kLeading = float(Tail::kLeading);
  constexpr float kLeadingLow = float(Tail::kLeading - double(kLeading));
  const float shifted = a + kShift, lost = a - (shifted - kShift);
  // 1 / (shifted + lost) = v (1 + missing): a Newton step rounds v rightly, a second one tells what that rounding lost.
  const auto residual = [=](float guess) { return std::fma(-lost, guess, std::fma(-shifted, guess, 1.0f)); };
  const float guess = 1.0f / shifted, v = std::fma(guess, residual(guess), guess), missing = residual(v);
  const float further = Tail::further(v);
  const float beyond = std::fma(v, further, Tail::kSecond), beyond_low = std::fma(v, further, Tail::kSecond - beyond);
  const float inner = std::fma(v, beyond, kLeading);
  const float inner_low = std::fma(v, beyond, kLeading - inner) + (v * (beyond_low + beyond * missing) + kLeadingLow);
  const float product = std::fma(v, inner, v * (inner_low + inner * (q + missing)));
#else
  const double v = 1.0 / (static_cast<double>(a) + Tail::kShift);
  const double exact = v * (Tail::kLeading + v * (Tail::kSecond + v * Tail::further(static_cast<float>(v))));
  const float product = static_cast<float>(exact + exact * q);
#endif
  // What is added is 0, or NaN where the magnitude is.
  const float density =
      magnitude > Tail::kUnderflow ? 0.0f : (power.first + power.first * q) * power.second + (magnitude - a);
  return {product * power.first * power.second, density};
}

}  // namespace single

// ---- Host, float: at most 2 ulp from the exact value, over the whole range, with and without FMA ----

inline float exp(float x) {
  using namespace single;
  const float limited = at_least(at_most(x, 89.0f), -104.0f);
  const float rounded = limited * kLog2E + (kRound + 254.0f);
  const float n = rounded - (kRound + 254.0f);
  const float r = limited - n * kLn2High - n * kLn2Low;
  const float q = r + expm1_beyond_linear(r, r * r);
  const PowerOfTwo power(bit_copy<uint32_t>(rounded));
  const float y = (power.first * q + power.first) * power.second;
  return x == x ? y : x;
}

inline float expm1(float x) {
  using namespace single;
  const float limited = at_least(at_most(x, 89.0f), -25.0f);
  const float rounded = limited * kLog2E + (kRound + 126.0f);
  const float n = rounded - (kRound + 126.0f);
  const float r = limited - n * kLn2High - n * kLn2Low;
  const float q = r + expm1_beyond_linear(r, r * r);
  // Half the power: 2^128, which the last binade needs, is not a float.
  const float half_power = power_of_two(bit_copy<uint32_t>(rounded));
  const float y = 2.0f * (half_power * q + (half_power - 0.5f));
  // The square vanishes only where x is its own expm1: keeps -0, the last bit of denormals, and NaN.
  return x * x > 0.0f ? y : x;
}

inline float log(float x) {
  using namespace single;
  const bool tiny = x < std::numeric_limits<float>::min();
  const float normal = tiny ? x * 8388608.0f : x;
  const uint32_t offset = bit_copy<uint32_t>(normal) - kSqrtHalfBits;
  const float mantissa = bit_copy<float>((offset & kMantissaMask) + kSqrtHalfBits);
  const float e = static_cast<float>(static_cast<int32_t>(offset) >> 23) - (tiny ? 23.0f : 0.0f);
  const float y = log_of_parts(mantissa - 1.0f, e);
  const float at_most_zero = x == 0.0f ? -kInfinity<float> : kNan;
  const float positive = x < kInfinity<float> ? y : x;
  return x > 0.0f ? positive : at_most_zero;
}

inline float log1p(float x) {
  using namespace single;
  // The exponent comes from the rounded 1 + x, the mantissa from the exact one: 2^-e x + (2^-e - 1).
  const uint32_t offset = bit_copy<uint32_t>(1.0f + x) - kSqrtHalfBits;
  const float e = static_cast<float>(static_cast<int32_t>(offset) >> 23);
  // 2^-e by way of 2^(2-e): e reaches 128, whose inverse power is denormal.
  const float power = 0.25f * bit_copy<float>((129u << 23) - (offset & ~kMantissaMask));
  const float y = log_of_parts(x * power + (power - 1.0f), e);
  const float at_most_minus_one = x == -1.0f ? -kInfinity<float> : kNan;
  const float finite = x == 0.0f ? x : y;  // keeps -0
  const float above = x < kInfinity<float> ? finite : x;
  return x > -1.0f ? above : at_most_minus_one;
}

inline float tanh(float x) {
  using namespace single;
  const float magnitude = std::fabs(x);
  const float limited = at_most(magnitude, 10.0f);
  const float squared = x * x;
  const float p = polynomial(squared, -0.333333105f, 0.133323416f, -5.38260937e-2f, 2.09616460e-2f, -6.11617742e-3f);
  const float near_zero = magnitude + magnitude * (squared * p);

  // e^2x as 2^n 2^f. What rounding 2 x / ln(2) does to it is lost in the 1 it is added to.
  const float scaled = 2.0f * kLog2E;
  const float rounded = limited * scaled + (kRound + 127.0f);
  const float n = rounded - (kRound + 127.0f);
  const float f = limited * scaled - n;
  const float q =
      polynomial(f, 0.693147182f, 0.240226507f, 5.55035695e-2f, 9.61808302e-3f, 1.33908633e-3f, 1.54531634e-4f);
  const float away = 1.0f - 2.0f / (power_of_two(bit_copy<uint32_t>(rounded)) * (1.0f + f * q) + 1.0f);
  return std::copysign(magnitude >= 0.55f ? away : near_zero, x);
}

inline float erf(float x) {
  using namespace single;
  const float magnitude = std::fabs(x);
  const float near_zero = magnitude + erf_beyond_linear(magnitude);
  const float away = 1.0f - upper_tail<ErfcTail>(magnitude).tail;
  return std::copysign(magnitude >= 0.7f ? away : near_zero, x);
}

inline float erfc(float x) {
  using namespace single;
  const float magnitude = std::fabs(x);
  // 1 - x is exact where the difference is small.
  const float near_zero = (1.0f - x) - erf_beyond_linear(x);
  const float tail = upper_tail<ErfcTail>(magnitude).tail;
  const float away = x > 0.0f ? tail : 2.0f - tail;
  return magnitude >= 0.7f ? away : near_zero;
}

/** Both from the one exponential that they share. */
inline Normal<float> normal(float x) {
  using namespace single;
  const float magnitude = std::fabs(x);
  // 1/2 + x/4 + x q(x^2) for |x| < 1, the parts of the sum exact where it is small.
  const float beyond = x * polynomial(x * x, 0.148942277f, -6.64903075e-2f, 9.97306034e-3f, -1.18576735e-3f,
                                      1.12948364e-4f, -7.46476462e-6f);
  const float near_zero = (0.25f + 0.25f * x) + (0.25f + beyond);
  const auto [tail, exponential] = upper_tail<NormalTail>(magnitude);
  const float away = x > 0.0f ? 1.0f - tail : tail;
  return {magnitude >= 1.0f ? away : near_zero, float(kInverseRootTwoPi) * exponential};
}
inline float normal_cdf(float x) { return normal(x).cdf; }

#endif

template <class T>
SN_HD Normal<T> normal(T x) {
  return {normal_cdf(x), T(kInverseRootTwoPi) * exp(T(-0.5) * x * x)};
}

// log1p(z) for z in [0, 1] or NaN: on the host no special cases are left to select.
template <class T>
SN_HD T log1p_of_fraction(T z) {
  return log1p(z);
}
#if !SN_GPU
inline float log1p_of_fraction(float z) {
  const bool halved = z > 0.41421356f;
  return single::log_of_parts(halved ? 0.5f * z - 0.5f : z, halved ? 1.0f : 0.0f);
}
#endif

/** Logistic function 1 / (1 + e^-x), relatively precise down to where it underflows. */
template <class T>
SN_HD T sigmoid(T x) {
  // m / (1 + z) as m - m z / (1 + z): the roundings of the quotient count by its size.
  const T z = exp(-abs(x));
  const T numerator = x < T(0) ? z : T(1);
  return numerator - numerator * (z / (T(1) + z));
}

/** log(1 + e^x): x itself for large x, e^x for very negative x. */
template <class T>
SN_HD T softplus1(T x) {
  return (x < T(0) ? T(0) : x) + log1p_of_fraction(exp(-abs(x)));
}

}  // namespace selfnorm::SN_BUILD::math
