// Elementwise ops in the emulator against loops in double: one operand, two with every way of broadcasting, select,
// cast.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

const double kNan = std::nan("");
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Unary {
  const char* op;
  double (*reference)(double);
  double low, high;
};

const Unary kUnary[] = {
    {"neg", [](double x) { return -x; }, -9, 9},
    {"abs", [](double x) { return std::abs(x); }, -9, 9},
    {"sign", [](double x) { return double((x > 0) - (x < 0)); }, -9, 9},
    {"square", [](double x) { return x * x; }, -9, 9},
    {"sqrt", [](double x) { return std::sqrt(x); }, 0, 90},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 0.1, 90},
    {"exp", [](double x) { return std::exp(x); }, -10, 10},
    {"expm1", [](double x) { return std::expm1(x); }, -2, 2},
    {"log", [](double x) { return std::log(x); }, 0.01, 90},
    {"log1p", [](double x) { return std::log1p(x); }, -0.9, 9},
    {"reciprocal", [](double x) { return 1 / x; }, 0.1, 9},
    {"floor", [](double x) { return std::floor(x); }, -9, 9},
    {"ceil", [](double x) { return std::ceil(x); }, -9, 9},
    {"round", [](double x) { return std::nearbyint(x); }, -9, 9},
};

TEST(Elementwise, UnaryOpsAgreeWithDouble) {
  for (const Unary& unary : kUnary) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
      for (const int64_t n : {0, 1, 31, 517}) {
        const Array x(dtype, {n}, random_values(n, unary.low, unary.high));
        Values expected = x.values();
        for (double& value : expected) value = unary.reference(value);
        check_op(unary.op, {&x}, {{dtype, {n}, expected}}, {}, kElementwise);
      }
    }
  }
}

struct Binary {
  const char* op;
  double (*reference)(double, double);
  bool boolean = false;
};

double python_mod(double a, double b) {
  const double remainder = std::fmod(a, b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

const Binary kBinary[] = {
    {"add", [](double a, double b) { return a + b; }},
    {"sub", [](double a, double b) { return a - b; }},
    {"mul", [](double a, double b) { return a * b; }},
    {"div", [](double a, double b) { return a / b; }},
    {"mod", python_mod},
    {"maximum", [](double a, double b) { return a > b ? a : b; }},
    {"minimum", [](double a, double b) { return a < b ? a : b; }},
    {"squaredDifference", [](double a, double b) { return (a - b) * (a - b); }},
    {"equal", [](double a, double b) { return double(a == b); }, true},
    {"notEqual", [](double a, double b) { return double(a != b); }, true},
    {"less", [](double a, double b) { return double(a < b); }, true},
    {"lessEqual", [](double a, double b) { return double(a <= b); }, true},
    {"greater", [](double a, double b) { return double(a > b); }, true},
    {"greaterEqual", [](double a, double b) { return double(a >= b); }, true},
};

// Reads x as if it had the output's shape.
double broadcast_at(const Values& x, const Shape& shape, const Shape& output, int64_t index) {
  int64_t offset = 0, stride = 1;
  for (size_t back = 1; back <= output.size(); ++back) {
    const int64_t size = output[output.size() - back];
    const int64_t position = index % size;
    index /= size;
    if (back > shape.size()) continue;
    const int64_t own = shape[shape.size() - back];
    offset += own == 1 ? 0 : position * stride;
    stride *= own;
  }
  return x[size_t(offset)];
}

TEST(Elementwise, BinaryOpsBroadcast) {
  const struct {
    Shape a, b, output;
  } shapes[] = {{{517}, {517}, {517}},    {{3, 5}, {}, {3, 5}},
                {{}, {3, 5}, {3, 5}},     {{7, 5}, {5}, {7, 5}},
                {{7, 1}, {1, 5}, {7, 5}}, {{2, 1, 3, 4}, {5, 1, 4}, {2, 5, 3, 4}},
                {{0, 3}, {3}, {0, 3}},    {{4, 1, 2}, {4, 3, 1}, {4, 3, 2}},
                {{1}, {1}, {1}},          {{2, 3, 1}, {2, 3, 4}, {2, 3, 4}}};
  for (const Binary& binary : kBinary) {
    for (const auto& shape : shapes) {
      for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16}) {
        const Array a(dtype, shape.a, random_values(size_of_shape(shape.a), -4, 4));
        const Array b(dtype, shape.b, random_values(size_of_shape(shape.b), 0.5, 4, 2));
        const Values x = a.values(), y = b.values();
        Values expected(size_t(size_of_shape(shape.output)));
        for (size_t i = 0; i < expected.size(); ++i) {
          expected[i] = binary.reference(broadcast_at(x, shape.a, shape.output, int64_t(i)),
                                         broadcast_at(y, shape.b, shape.output, int64_t(i)));
        }
        const DType result = binary.boolean ? DType::kBool : dtype;
        check_op(binary.op, {&a, &b}, {{result, shape.output, expected}}, {}, kElementwise);
      }
    }
  }
}

TEST(Elementwise, IntegersWrapAndDivideTowardsMinusInfinity) {
  constexpr double kLow = -2147483648.0, kHigh = 2147483647.0;
  const Array a = i32({6}, {7, -7, kHigh, kLow, 5, kLow}), b = i32({6}, {2, 2, 1, -1, 0, 0});
  check_op("add", {&a, &b}, {{DType::kInt32, {6}, {9, -5, kLow, kHigh, 5, kLow}}}, {}, kExact);
  check_op("div", {&a, &b}, {{DType::kInt32, {6}, {3, -4, kHigh, kLow, 0, 0}}}, {}, kExact);
  check_op("mod", {&a, &b}, {{DType::kInt32, {6}, {1, 1, 0, 0, 0, 0}}}, {}, kExact);
  check_op("neg", {&a}, {{DType::kInt32, {6}, {-7, 7, -kHigh, kLow, -5, kLow}}}, {}, kExact);
}

TEST(Elementwise, NanIsKept) {
  const Array a = f32({4}, {kNan, 1, kNan, 2}), b = f32({4}, {1, kNan, kNan, 3});
  check_op("maximum", {&a, &b}, {{DType::kFloat32, {4}, {kNan, kNan, kNan, 3}}}, {}, kExact);
  check_op("minimum", {&a, &b}, {{DType::kFloat32, {4}, {kNan, kNan, kNan, 2}}}, {}, kExact);
  check_op("clipByValue", {&a}, {{DType::kFloat32, {4}, {kNan, 1, kNan, 1.5}}}, {-1, 1.5}, kExact);
  check_op("isNaN", {&a}, {{DType::kBool, {4}, {1, 0, 1, 0}}}, {}, kExact);
  const Array c = f32({3}, {kInfinity, -kInfinity, 0});
  check_op("isInf", {&c}, {{DType::kBool, {3}, {1, 1, 0}}}, {}, kExact);
}

TEST(Elementwise, SelectBroadcastsAllThree) {
  const Array condition(DType::kBool, {2, 1}, {1, 0});
  const Array a = f32({3}, {1, 2, 3}), b = f32({}, {9});
  check_op("where", {&condition, &a, &b}, {{DType::kFloat32, {2, 3}, {1, 2, 3, 9, 9, 9}}}, {}, kExact);
}

TEST(Elementwise, CastRoundsTruncatesAndSaturates) {
  const Array x = f32({7}, {1.75, -1.75, 3e9, -3e9, kNan, 300, 0});
  check_op("cast", {&x}, {{DType::kInt32, {7}, {1, -1, 2147483647, -2147483648.0, 0, 300, 0}}}, {}, kExact);
  check_op("cast", {&x}, {{DType::kUint8, {7}, {1, 0, 255, 0, 0, 255, 0}}}, {}, kExact);
  check_op("cast", {&x}, {{DType::kBool, {7}, {1, 1, 1, 1, 1, 1, 0}}}, {}, kExact);
  // Halfway between two halves rounds to the even one; the smallest denormal and overflow to infinity.
  const Array fine = f32({5}, {1.00048828125, 1.00146484375, 5.9604644775390625e-8, 65519.9, 65520});
  check_op("cast", {&fine}, {{DType::kFloat16, {5}, {1, 1.001953125, 5.9604644775390625e-8, 65504, kInfinity}}}, {},
           kExact);
}

// float lies between: a value beside a tie of the half type that float rounds to the tie itself must not round as the
// tie.
TEST(Elementwise, CastFromWiderTypesRoundsOnce) {
  const double near = 0x1p-40, tie = 1 + 0x1p-11, next_tie = 1 + 3 * 0x1p-11;
  const Array x = f64({12}, {tie + near, tie - near, tie, next_tie - near, -tie - near, 65520 - 0x1p-30,
                             0x1p-25 + 0x1p-70, 0x1p-25, 1e300, -1e300, kNan, 1e-300});
  const double up = 1 + 0x1p-10;
  check_op("cast", {&x},
           {{DType::kFloat16, {12}, {up, 1, 1, up, -up, 65504, 0x1p-24, 0, kInfinity, -kInfinity, kNan, 0}}}, {},
           kExact);
  const Array y = f64({4}, {1 + 0x1p-8 + near, 1 + 0x1p-8, -1 - 0x1p-8 - near, 3.5e38});
  check_op("cast", {&y}, {{DType::kBfloat16, {4}, {1 + 0x1p-7, 1, -1 - 0x1p-7, kInfinity}}}, {}, kExact);
  const Array whole = i32({5}, {(1 << 30) + (1 << 22) + 1, (1 << 30) + (1 << 22), -(1 << 30) - (1 << 22) - 1,
                                std::numeric_limits<int32_t>::min(), 257});
  check_op("cast", {&whole}, {{DType::kBfloat16, {5}, {0x1p30 + 0x1p23, 0x1p30, -0x1p30 - 0x1p23, -0x1p31, 256}}}, {},
           kExact);
}

TEST(Elementwise, FillAndAssignWriteEveryElement) {
  check_op("fill", {}, {{DType::kFloat32, {517}, Values(517, 2.5)}}, {2.5}, kExact);
  check_op("fill", {}, {{DType::kBool, {3}, {1, 1, 1}}}, {1}, kExact);
  const Array x = f32({3}, {1, 2, 3});
  check_op("assign", {&x}, {{DType::kFloat32, {3}, {1, 2, 3}}}, {}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
