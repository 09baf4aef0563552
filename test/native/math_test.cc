// The host's float functions against double and long double over the whole range of floats, in units of the last place,
// and the values where the C standard names the result. In blocks, not single calls, so that SIMD code is
// what is tested.
#include "../../cuda/kernels/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace {

using namespace selfnorm::SN_BUILD;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
constexpr float kLargest = std::numeric_limits<float>::max();

float float_of(uint32_t bits) { return bit_copy<float>(bits); }
uint32_t bits_of(float x) { return bit_copy<uint32_t>(x); }

// Distance from the exact result in units of its last place; infinity where NaN, an infinity or the sign is wrong.
template <class T, class Exact>
double ulps(T actual, Exact exact) {
  using Limits = std::numeric_limits<T>;
  const double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(exact)) return std::isnan(actual) ? 0.0 : wrong;
  if (std::isnan(actual) || std::signbit(actual) != std::signbit(exact)) return wrong;
  if (std::isinf(exact)) return std::isinf(actual) ? 0.0 : wrong;
  int exponent = 0;
  std::frexp(exact, &exponent);
  exponent = std::max(exponent, Limits::min_exponent);
  const Exact last_place = std::ldexp(Exact(1), exponent - Limits::digits);
  // Infinity stands for the power of two after the largest number: right where the exact result rounds to it.
  const Exact value = std::isinf(actual) ? std::ldexp(Exact(actual > 0 ? 1 : -1), Limits::max_exponent) : Exact(actual);
  if (std::isinf(actual) && std::fabs(exact) >= std::fabs(value)) return 0.0;
  return static_cast<double>(std::fabs(value - exact) / last_place);
}

struct FloatFunction {
  const char* name;
  void (*apply)(const float* x, float* y, size_t n);
  long double (*exact)(float x);
  double max_ulps;
  std::vector<float> dense;  // every float near these, of both signs
};
void PrintTo(const FloatFunction& f, std::ostream* out) { *out << f.name; }

template <float (*kFunction)(float)>
void apply(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = kFunction(x[i]);
}

long double exact_sigmoid(long double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
long double exact_softplus(long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
float normal_density(float x) { return math::normal(x).density; }
long double exact_normal_cdf(long double x) { return std::erfc(-x * 0.707106781186547524400844362104849039L) / 2; }

// Double is precise enough to judge floats, and ten times as fast; not where an argument has to be rounded first.
const FloatFunction kFunctions[] = {
    {"exp",
     apply<math::exp>,
     [](float x) -> long double { return std::exp(double(x)); },
     1.5,
     {0.0f, 0.34657359f, 1.0f, 88.722839f, 87.336545f, 103.2789f, 103.97208f}},
    {"expm1",
     apply<math::expm1>,
     [](float x) -> long double { return std::expm1(double(x)); },
     2.0,
     {0.0f, 1e-20f, 1e-7f, 0.34657359f, 1.0397208f, 17.32868f, 25.0f, 88.376f, 88.722839f}},
    {"log",
     apply<math::log>,
     [](float x) -> long double { return std::log(double(x)); },
     1.5,
     {0.0f, 1.17549435e-38f, 0.70710678f, 1.0f, 1.41421356f, kLargest}},
    {"log1p",
     apply<math::log1p>,
     [](float x) -> long double { return std::log1p(double(x)); },
     2.0,
     {0.0f, 1e-7f, 0.29289322f, 0.41421356f, 1.0f, 16777216.0f, 2.4061597e38f, kLargest}},
    {"tanh",
     apply<math::tanh>,
     [](float x) -> long double { return std::tanh(double(x)); },
     2.0,
     {0.0f, 1e-20f, 0.55f, 9.0109f, 10.0f}},
    {"sigmoid",
     apply<math::sigmoid<float>>,
     [](float x) -> long double { return exact_sigmoid(double(x)); },
     2.0,
     {0.0f, 1.1f, 3.4373f, 16.6355f, 87.336545f, 103.97208f}},
    {"softplus1",
     apply<math::softplus1<float>>,
     [](float x) -> long double { return exact_softplus(double(x)); },
     2.0,
     {0.0f, 0.88137359f, 2.03f, 16.6355f, 87.336545f, 100.0f, 103.97208f}},
    {"erf",
     apply<math::erf>,
     [](float x) -> long double { return std::erf(double(x)); },
     1.5,
     {0.0f, 1e-20f, 0.7f, 3.8325f, 10.0f}},
    {"erfc",
     apply<math::erfc>,
     [](float x) -> long double { return std::erfc(double(x)); },
     2.0,
     {0.0f, 0.4769f, 0.7f, 3.8325f, 9.1945f, 10.0546f, 10.2f}},
    {"normal_cdf",
     apply<math::normal_cdf>,
     [](float x) { return exact_normal_cdf(x); },
     2.0,
     {0.0f, 0.6745f, 1.0f, 5.4199f, 13.0f, 14.17f, 14.3f}},
    {"normal_density",
     apply<normal_density>,
     [](float x) { return std::exp(-static_cast<long double>(x) * x / 2) * 0.398942280401432677939946059934381868L; },
     2.0,
     {0.0f, 1.0f, 5.4199f, 13.0f, 14.3f, 14.36f, 20.0f}},
    {"rsqrt",
     apply<math::rsqrt>,
     [](float x) -> long double { return 1 / std::sqrt(double(x)); },
     1.5,
     {0.0f, 1.0f, 1.17549435e-38f, kLargest}},
};

class FloatFunctions : public testing::TestWithParam<FloatFunction> {
 protected:
  void check(const std::vector<float>& x) {
    const FloatFunction& f = GetParam();
    y_.resize(x.size());
    f.apply(x.data(), y_.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y_[i], double(f.exact(x[i])));
      if (!(error <= worst_)) {
        worst_ = error;
        worst_at_ = x[i];
      }
    }
  }
  void expect_within_bound() {
    const FloatFunction& f = GetParam();
    float y = 0;
    f.apply(&worst_at_, &y, 1);
    const std::string where = std::string(f.name) + "(" + testing::PrintToString(worst_at_) + " = bits " +
                              testing::PrintToString(bits_of(worst_at_)) + ") gave " + testing::PrintToString(y) +
                              ", exact " + testing::PrintToString(double(f.exact(worst_at_)));
    RecordProperty("max_ulps", testing::PrintToString(worst_));
    std::cout << f.name << ": at most " << worst_ << " ulp, at " << worst_at_ << "\n";
    if (!(worst_ <= f.max_ulps)) FAIL() << worst_ << " ulp, expected at most " << f.max_ulps << ": " << where;
  }

 private:
  std::vector<float> y_;
  double worst_ = 0;
  float worst_at_ = 0;
};

TEST_P(FloatFunctions, AreWithinTheirUlpsOverAllFloats) {
  // A prime step: every exponent, sign and low bit pattern takes part.
  const uint64_t step = 389;
  std::vector<float> block;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32);) {
    block.clear();
    for (; block.size() < 65537 && bits < (uint64_t{1} << 32); bits += step) {
      const float x = float_of(static_cast<uint32_t>(bits));
      if (!std::isnan(x)) block.push_back(x);
    }
    check(block);
  }
  expect_within_bound();
}

TEST_P(FloatFunctions, AreWithinTheirUlpsAtEveryFloatNearKinksAndLimits) {
  const uint32_t radius = 20000;
  std::vector<float> block;
  for (const float centre : GetParam().dense) {
    const uint32_t middle = bits_of(centre);
    const uint32_t first = middle < radius ? 0 : middle - radius;
    block.clear();
    for (uint32_t bits = first; bits <= std::min(middle + radius, bits_of(kInf)); ++bits) {
      block.push_back(float_of(bits));
      block.push_back(-float_of(bits));
    }
    check(block);
  }
  expect_within_bound();
}

TEST_P(FloatFunctions, KeepNan) {
  // Length 1 is the loop's scalar tail, 64 its vector body.
  for (const size_t n : {1, 64}) {
    for (const uint32_t bits : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xffffffffu}) {
      std::vector<float> x(n, float_of(bits)), y(n, 0.0f);
      GetParam().apply(x.data(), y.data(), n);
      for (const float value : y) EXPECT_TRUE(std::isnan(value)) << GetParam().name << " of NaN bits " << bits;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Math, FloatFunctions, testing::ValuesIn(kFunctions),
                         [](const auto& info) { return std::string(info.param.name); });

struct SpecialValue {
  const char* name;
  float (*apply)(float);
  double (*apply_double)(double);
  float x, expected;
};

TEST(MathSpecialValues, AreThoseTheCStandardNames) {
  const SpecialValue rows[] = {
      {"exp", math::exp, math::exp, 0.0f, 1.0f},
      {"exp", math::exp, math::exp, -0.0f, 1.0f},
      {"exp", math::exp, math::exp, kInf, kInf},
      {"exp", math::exp, math::exp, -kInf, 0.0f},
      {"exp", math::exp, math::exp, 1e30f, kInf},
      {"exp", math::exp, math::exp, -1e30f, 0.0f},
      {"exp", math::exp, math::exp, kSmallest, 1.0f},
      {"expm1", math::expm1, math::expm1, 0.0f, 0.0f},
      {"expm1", math::expm1, math::expm1, -0.0f, -0.0f},
      {"expm1", math::expm1, math::expm1, kSmallest, kSmallest},
      {"expm1", math::expm1, math::expm1, -kSmallest, -kSmallest},
      {"expm1", math::expm1, math::expm1, kInf, kInf},
      {"expm1", math::expm1, math::expm1, 1e4f, kInf},
      {"expm1", math::expm1, math::expm1, -kInf, -1.0f},
      {"expm1", math::expm1, math::expm1, -88.0f, -1.0f},
      {"expm1", math::expm1, math::expm1, -1e4f, -1.0f},
      {"log", math::log, math::log, 0.0f, -kInf},
      {"log", math::log, math::log, -0.0f, -kInf},
      {"log", math::log, math::log, 1.0f, 0.0f},
      {"log", math::log, math::log, kInf, kInf},
      {"log", math::log, math::log, -kSmallest, kNan},
      {"log", math::log, math::log, -1.0f, kNan},
      {"log", math::log, math::log, -kInf, kNan},
      {"log1p", math::log1p, math::log1p, 0.0f, 0.0f},
      {"log1p", math::log1p, math::log1p, -0.0f, -0.0f},
      {"log1p", math::log1p, math::log1p, kSmallest, kSmallest},
      {"log1p", math::log1p, math::log1p, -1.0f, -kInf},
      {"log1p", math::log1p, math::log1p, -1.0000001f, kNan},
      {"log1p", math::log1p, math::log1p, -1e30f, kNan},
      {"log1p", math::log1p, math::log1p, -kInf, kNan},
      {"log1p", math::log1p, math::log1p, kInf, kInf},
      {"tanh", math::tanh, math::tanh, 0.0f, 0.0f},
      {"tanh", math::tanh, math::tanh, -0.0f, -0.0f},
      {"tanh", math::tanh, math::tanh, -kSmallest, -kSmallest},
      {"tanh", math::tanh, math::tanh, 1e4f, 1.0f},
      {"tanh", math::tanh, math::tanh, kInf, 1.0f},
      {"tanh", math::tanh, math::tanh, -1e30f, -1.0f},
      {"tanh", math::tanh, math::tanh, -kInf, -1.0f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, 0.0f, 0.5f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, -0.0f, 0.5f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, 1e4f, 1.0f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, kInf, 1.0f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, -1e4f, 0.0f},
      {"sigmoid", math::sigmoid<float>, math::sigmoid<double>, -kInf, 0.0f},
      {"softplus1", math::softplus1<float>, math::softplus1<double>, 100.0f, 100.0f},
      {"softplus1", math::softplus1<float>, math::softplus1<double>, 1e30f, 1e30f},
      {"softplus1", math::softplus1<float>, math::softplus1<double>, kInf, kInf},
      {"softplus1", math::softplus1<float>, math::softplus1<double>, -1e4f, 0.0f},
      {"softplus1", math::softplus1<float>, math::softplus1<double>, -kInf, 0.0f},
      {"erf", math::erf, math::erf, 0.0f, 0.0f},
      {"erf", math::erf, math::erf, -0.0f, -0.0f},
      {"erf", math::erf, math::erf, kInf, 1.0f},
      {"erf", math::erf, math::erf, -1e30f, -1.0f},
      {"erfc", math::erfc, math::erfc, 0.0f, 1.0f},
      {"erfc", math::erfc, math::erfc, -0.0f, 1.0f},
      {"erfc", math::erfc, math::erfc, 88.0f, 0.0f},
      {"erfc", math::erfc, math::erfc, kInf, 0.0f},
      {"erfc", math::erfc, math::erfc, -1e4f, 2.0f},
      {"erfc", math::erfc, math::erfc, -kInf, 2.0f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, 0.0f, 0.5f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, -0.0f, 0.5f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, kInf, 1.0f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, 1e30f, 1.0f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, -kInf, 0.0f},
      {"normal_cdf", math::normal_cdf, math::normal_cdf, -1e4f, 0.0f},
      {"sqrt", math::sqrt, math::sqrt, -0.0f, -0.0f},
      {"sqrt", math::sqrt, math::sqrt, -1.0f, kNan},
      {"sqrt", math::sqrt, math::sqrt, kInf, kInf},
      {"rsqrt", math::rsqrt, math::rsqrt, 4.0f, 0.5f},
      {"rsqrt", math::rsqrt, math::rsqrt, 0.0f, kInf},
      {"rsqrt", math::rsqrt, math::rsqrt, kInf, 0.0f},
      {"rsqrt", math::rsqrt, math::rsqrt, -1.0f, kNan},
      {"floor", math::floor, math::floor, -0.5f, -1.0f},
      {"floor", math::floor, math::floor, 1e30f, 1e30f},
      {"ceil", math::ceil, math::ceil, -0.5f, -0.0f},
      {"ceil", math::ceil, math::ceil, 0.5f, 1.0f},
      {"trunc", math::trunc, math::trunc, -1.5f, -1.0f},
      {"rint", math::rint, math::rint, 0.5f, 0.0f},
      {"rint", math::rint, math::rint, 1.5f, 2.0f},
      {"rint", math::rint, math::rint, 2.5f, 2.0f},
      {"rint", math::rint, math::rint, -2.5f, -2.0f},
      {"rint", math::rint, math::rint, -0.25f, -0.0f},
      {"rint", math::rint, math::rint, kInf, kInf},
      {"rint", math::rint, math::rint, kNan, kNan},
      {"abs", math::abs, math::abs, -0.0f, 0.0f},
      {"abs", math::abs, math::abs, -kInf, kInf},
      {"abs", math::abs, math::abs, kNan, kNan},
      {"sin", math::sin, math::sin, -0.0f, -0.0f},
      {"sin", math::sin, math::sin, kInf, kNan},
      {"cos", math::cos, math::cos, 0.0f, 1.0f},
  };
  for (const SpecialValue& row : rows) {
    const float actual = row.apply(row.x);
    EXPECT_EQ(ulps(actual, double(row.expected)), 0.0)
        << row.name << "(" << row.x << ") gave " << actual << ", expected " << row.expected;
    // Rows beyond float's range have finite results in double.
    const double wide = row.apply_double(row.x);
    EXPECT_EQ(ulps(static_cast<float>(wide), double(row.expected)), 0.0)
        << row.name << "(double " << row.x << ") gave " << wide << ", expected " << row.expected;
  }
}

template <class T>
class MathSelects : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(MathSelects, Types);

TYPED_TEST(MathSelects, KeepNanFromEitherSide) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  for (const T other : {T(0), T(-1), T(1), inf, -inf, nan}) {
    EXPECT_TRUE(math::is_nan(math::max_nan(nan, other))) << other;
    EXPECT_TRUE(math::is_nan(math::max_nan(other, nan))) << other;
    EXPECT_TRUE(math::is_nan(math::min_nan(nan, other))) << other;
    EXPECT_TRUE(math::is_nan(math::min_nan(other, nan))) << other;
  }
  EXPECT_EQ(math::max_nan(T(-2), T(1)), T(1));
  EXPECT_EQ(math::max_nan(T(1), T(-2)), T(1));
  EXPECT_EQ(math::min_nan(T(-2), inf), T(-2));
  EXPECT_EQ(math::min_nan(inf, T(-2)), T(-2));
}

TYPED_TEST(MathSelects, ClassifyAndCopySigns) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
  EXPECT_TRUE(math::is_nan(nan));
  EXPECT_FALSE(math::is_nan(inf));
  EXPECT_TRUE(math::is_inf(inf));
  EXPECT_TRUE(math::is_inf(-inf));
  EXPECT_FALSE(math::is_inf(nan));
  EXPECT_FALSE(math::is_inf(std::numeric_limits<T>::max()));
  EXPECT_EQ(math::copysign(T(3), T(-0.0)), T(-3));
  EXPECT_EQ(math::copysign(T(-3), T(0)), T(3));
  EXPECT_EQ(math::fma(T(3), T(5), T(-7)), T(8));
  EXPECT_EQ(math::pow(T(2), T(-3)), T(0.125));
  EXPECT_EQ(math::pow(T(-2), T(3)), T(-8));
}

TEST(MathDouble, NormalCdfSigmoidAndSoftplusKeepTheirRelativePrecision) {
  double worst[3] = {0, 0, 0};
  for (int i = -1000000; i <= 1000000; ++i) {
    const double x = i * 3.8123e-5;
    const double errors[3] = {ulps(math::normal_cdf(x), exact_normal_cdf(x)),
                              ulps(math::sigmoid(x * 19), exact_sigmoid(static_cast<long double>(x * 19))),
                              ulps(math::softplus1(x * 19), exact_softplus(static_cast<long double>(x * 19)))};
    for (int function = 0; function < 3; ++function) {
      if (!(errors[function] <= worst[function])) worst[function] = errors[function];
    }
  }
  const char* names[3] = {"normal_cdf", "sigmoid", "softplus1"};
  for (int function = 0; function < 3; ++function) {
    std::cout << "double " << names[function] << ": at most " << worst[function] << " ulp\n";
    EXPECT_TRUE(worst[function] <= 6) << names[function] << ": " << worst[function] << " ulp, expected at most 6";
  }
  EXPECT_TRUE(std::isnan(math::normal_cdf(std::nan(""))));
  EXPECT_TRUE(std::isnan(math::sigmoid(std::nan(""))));
  EXPECT_TRUE(std::isnan(math::softplus1(std::nan(""))));
}

// A judge that cannot fail proves nothing.
TEST(MathTestItself, SeesWrongSignsLostNansAndSmallErrors) {
  EXPECT_EQ(ulps(1.0f, 1.0), 0.0);
  EXPECT_EQ(ulps(std::nextafter(1.0f, 2.0f), 1.0), 1.0);
  EXPECT_EQ(ulps(2 * kSmallest, double(kSmallest)), 1.0);
  EXPECT_EQ(ulps(kInf, 1e39), 0.0);
  EXPECT_TRUE(std::isinf(ulps(kLargest, double(kInf))));
  EXPECT_TRUE(std::isinf(ulps(0.0f, -0.0)));
  EXPECT_TRUE(std::isinf(ulps(0.0f, double(kNan))));
  EXPECT_TRUE(std::isinf(ulps(kNan, 0.0)));
}

}  // namespace
