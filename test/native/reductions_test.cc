// Reductions in the emulator against loops in double: every pattern of axes, lengths around the kernels' chunks, NaN,
// ties, integers that wrap, empty axes; and the product of the others with its derivative.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

const double kNan = std::nan("");
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Pattern {
  Shape shape;
  std::vector<int> axes;
};

// Short and long rows and columns, more than a chunk of each, merged and alternating axes, sizes 1 and 0, none reduced.
const Pattern kPatterns[] = {
    {{}, {}},
    {{7}, {0}},
    {{33}, {0}},
    {{2500}, {0}},
    {{1}, {0}},
    {{0}, {0}},
    {{3, 0}, {1}},
    {{0, 3}, {1}},
    {{3, 5}, {}},
    {{3, 5}, {0}},
    {{3, 5}, {1}},
    {{3, 5}, {0, 1}},
    {{2, 70}, {1}},
    {{70, 3}, {0}},
    {{300, 40}, {0}},
    {{5, 2, 35}, {1}},
    {{2, 40, 3}, {1}},
    {{2, 3, 4}, {0, 2}},
    {{3, 4, 40}, {0, 2}},
    {{5, 2, 8, 3}, {0, 2}},
    {{2, 5, 3, 8}, {1, 3}},
    {{2, 1, 3, 1, 2}, {1, 2}},
    {{2, 3, 2, 3, 2}, {0, 2, 4}},
};

// Where each element of the shape goes: the index of its output.
std::vector<size_t> outputs_of(const Pattern& pattern, Shape* kept) {
  kept->clear();
  std::vector<bool> reduced(pattern.shape.size());
  for (const int axis : pattern.axes) reduced[size_t(axis)] = true;
  for (size_t axis = 0; axis < pattern.shape.size(); ++axis) {
    if (!reduced[axis]) kept->push_back(pattern.shape[axis]);
  }
  std::vector<size_t> outputs(size_t(size_of_shape(pattern.shape)));
  for (size_t i = 0; i < outputs.size(); ++i) {
    int64_t rest = int64_t(i), output = 0, stride = 1;
    for (size_t back = pattern.shape.size(); back-- > 0;) {
      const int64_t position = rest % pattern.shape[back];
      rest /= pattern.shape[back];
      if (reduced[back]) continue;
      output += position * stride;
      stride *= pattern.shape[back];
    }
    outputs[i] = size_t(output);
  }
  return outputs;
}

Values params_of(const Pattern& pattern) { return {pattern.axes.begin(), pattern.axes.end()}; }

// Folds x in double by a function of (accumulated, value).
template <class Fold>
Values reference(const Pattern& pattern, const Values& x, double start, Fold fold) {
  Shape kept;
  const std::vector<size_t> outputs = outputs_of(pattern, &kept);
  Values result(size_t(size_of_shape(kept)), start);
  for (size_t i = 0; i < x.size(); ++i) result[outputs[i]] = fold(result[outputs[i]], x[i]);
  return result;
}

double add(double a, double b) { return a + b; }
double multiply(double a, double b) { return a * b; }
double larger(double a, double b) { return b > a ? b : a; }
double smaller(double a, double b) { return b < a ? b : a; }

TEST(Reductions, ValuesOverEveryPatternOfAxes) {
  for (const Pattern& pattern : kPatterns) {
    Shape kept;
    outputs_of(pattern, &kept);
    const int64_t n = size_of_shape(pattern.shape), results = size_of_shape(kept);
    const double count = results == 0 ? 0 : double(n) / double(results);
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16}) {
      const Array x(dtype, pattern.shape, random_values(n, 0.5, 1.5));
      const Values params = params_of(pattern), values = x.values();
      const Values sums = reference(pattern, values, 0, add);
      Values means = sums, roots = reference(pattern, values, 0, [](double a, double b) { return a + b * b; });
      Values logs = reference(pattern, values, 0, [](double a, double b) { return a + std::exp(b); });
      for (double& value : means) value /= count;
      for (double& value : roots) value = std::sqrt(value);
      for (double& value : logs) value = std::log(value);
      check_op("sum", {&x}, {{dtype, kept, sums}}, params, kReduction);
      check_op("mean", {&x}, {{dtype, kept, means}}, params, kReduction);
      check_op("euclideanNorm", {&x}, {{dtype, kept, roots}}, params, kReduction);
      check_op("logSumExp", {&x}, {{dtype, kept, logs}}, params, kReduction);
      if (n > 0) {
        check_op("max", {&x}, {{dtype, kept, reference(pattern, values, -kInfinity, larger)}}, params, kExact);
        check_op("min", {&x}, {{dtype, kept, reference(pattern, values, kInfinity, smaller)}}, params, kExact);
      }
      if (count <= 80) {
        check_op("prod", {&x}, {{dtype, kept, reference(pattern, values, 1, multiply)}}, params, kComposite);
      }
    }
  }
}

TEST(Reductions, IntegersBytesAndBooleans) {
  for (const Pattern& pattern : kPatterns) {
    Shape kept;
    outputs_of(pattern, &kept);
    const int64_t n = size_of_shape(pattern.shape);
    const Values params = params_of(pattern);
    Values whole = random_values(n, -9, 9), bytes = random_values(n, 0, 255), flags = random_values(n, 0, 1);
    for (double& value : whole) value = std::nearbyint(value);
    for (double& value : bytes) value = std::nearbyint(value);
    for (double& value : flags) value = value > 0.03;
    const Array x(DType::kInt32, pattern.shape, whole), b(DType::kUint8, pattern.shape, bytes),
        f(DType::kBool, pattern.shape, flags);
    check_op("sum", {&x}, {{DType::kInt32, kept, reference(pattern, whole, 0, add)}}, params, kExact);
    check_op("sum", {&b}, {{DType::kInt32, kept, reference(pattern, bytes, 0, add)}}, params, kExact);
    check_op("sum", {&f}, {{DType::kInt32, kept, reference(pattern, flags, 0, add)}}, params, kExact);
    check_op("all", {&f}, {{DType::kBool, kept, reference(pattern, flags, 1, smaller)}}, params, kExact);
    for (double& value : flags) value = 1 - value;
    const Array few(DType::kBool, pattern.shape, flags);
    check_op("any", {&few}, {{DType::kBool, kept, reference(pattern, flags, 0, larger)}}, params, kExact);
  }
}

TEST(Reductions, IntegerOverflowWraps) {
  const Array x = i32({3}, {2147483647, 2147483647, 3});
  check_op("sum", {&x}, {{DType::kInt32, {}, {1}}}, {0}, kExact);
  check_op("prod", {&x}, {{DType::kInt32, {}, {3}}}, {0}, kExact);
  check_op("max", {&x}, {{DType::kInt32, {}, {2147483647}}}, {0}, kExact);
  const Array low = i32({2}, {-2147483648.0, -2147483647});
  check_op("argMin", {&low}, {{DType::kInt32, {}, {0}}}, {0}, kExact);
  check_op("argMax", {&low}, {{DType::kInt32, {}, {1}}}, {0}, kExact);
}

TEST(Reductions, ArgumentsAreTheFirstOfTheExtremes) {
  const Pattern patterns[] = {{{7}, {0}},       {{2500}, {0}},     {{3, 5}, {0}},     {{3, 5}, {1}}, {{2, 70}, {1}},
                              {{300, 40}, {0}}, {{2, 40, 3}, {1}}, {{5, 2, 35}, {1}}, {{1, 4}, {0}}};
  for (const Pattern& pattern : patterns) {
    Shape kept;
    const std::vector<size_t> outputs = outputs_of(pattern, &kept);
    const int64_t n = size_of_shape(pattern.shape);
    int64_t stride = 1;
    const auto axis = size_t(pattern.axes[0]);
    for (size_t later = axis + 1; later < pattern.shape.size(); ++later) stride *= pattern.shape[later];
    for (const DType dtype : {DType::kFloat32, DType::kInt32}) {
      // Few different values, so that there are ties.
      Values x = random_values(n, -3, 3);
      for (double& value : x) value = std::nearbyint(value);
      const Array array(dtype, pattern.shape, x);
      const size_t results = size_t(size_of_shape(kept));
      Values largest(results, -1), smallest(results, -1), best(results), least(results);
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t o = outputs[i];
        const double position = double(int64_t(i) / stride % pattern.shape[axis]);
        if (largest[o] < 0 || x[i] > best[o]) largest[o] = position, best[o] = x[i];
        if (smallest[o] < 0 || x[i] < least[o]) smallest[o] = position, least[o] = x[i];
      }
      check_op("argMax", {&array}, {{DType::kInt32, kept, largest}}, params_of(pattern), kExact);
      check_op("argMin", {&array}, {{DType::kInt32, kept, smallest}}, params_of(pattern), kExact);
    }
  }
}

TEST(Reductions, NanWinsAndInfinitiesStay) {
  for (const int64_t length : {3, 40}) {
    Values x(size_t(3 * length), 1);
    x[size_t(length - 1)] = kNan;   // row 0: NaN
    x[size_t(length)] = kInfinity;  // row 1: infinity
    for (int64_t i = 0; i < length; ++i) x[size_t(2 * length + i)] = -kInfinity;
    const Array rows = f32({3, length}, x);
    const double last = double(length - 1);
    check_op("max", {&rows}, {{DType::kFloat32, {3}, {kNan, kInfinity, -kInfinity}}}, {1}, kExact);
    check_op("min", {&rows}, {{DType::kFloat32, {3}, {kNan, 1, -kInfinity}}}, {1}, kExact);
    check_op("sum", {&rows}, {{DType::kFloat32, {3}, {kNan, kInfinity, -kInfinity}}}, {1}, kExact);
    check_op("logSumExp", {&rows}, {{DType::kFloat32, {3}, {kNan, kInfinity, -kInfinity}}}, {1}, kExact);
    check_op("argMax", {&rows}, {{DType::kInt32, {3}, {last, 0, 0}}}, {1}, kExact);
    check_op("argMin", {&rows}, {{DType::kInt32, {3}, {last, 1, 0}}}, {1}, kExact);
  }
  const Array large = f32({2, 2}, {1000, 1000, -1000, -1000});
  const double half = std::log(2);
  check_op("logSumExp", {&large}, {{DType::kFloat32, {2}, {1000 + half, -1000 + half}}}, {1}, kElementwise);
  check_op("logSumExp", {&large}, {{DType::kFloat32, {2}, {1000, 1000}}}, {0}, kElementwise);
}

TEST(Reductions, ProductOfTheOthersHasNoTroubleWithZeros) {
  for (const Pattern& pattern :
       {Pattern{{4}, {0}}, Pattern{{3, 4}, {1}}, Pattern{{4, 3}, {0}}, Pattern{{2, 3, 4}, {0, 2}},
        Pattern{{2, 5, 3}, {1}}, Pattern{{0, 3}, {0}}, Pattern{{}, {}}}) {
    Shape kept;
    const std::vector<size_t> outputs = outputs_of(pattern, &kept);
    const int64_t n = size_of_shape(pattern.shape);
    Values x = random_values(n, -2, 2), g = random_values(n, -2, 2, 2);
    for (size_t i = 0; i < x.size(); i += 5) x[i] = 0;
    Values others(x.size(), 1), slope(x.size(), 0);
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < x.size(); ++j) {
        if (outputs[i] != outputs[j] || i == j) continue;
        others[i] *= x[j];
        double pair = g[j];
        for (size_t k = 0; k < x.size(); ++k) {
          if (outputs[k] == outputs[i] && k != i && k != j) pair *= x[k];
        }
        slope[i] += pair;
      }
    }
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Array a(dtype, pattern.shape, x), b(dtype, pattern.shape, g);
      check_op("productOfOthers", {&a}, {{dtype, pattern.shape, others}}, params_of(pattern), kComposite);
      check_op("productOfOthers/backward", {&b, &a}, {{dtype, pattern.shape, slope}}, params_of(pattern), kComposite);
    }
  }
}

TEST(Reductions, NoBitDependsOnTheNumberOfBlocks) {
  const Array x = f32({300, 70}, random_values(300 * 70, -1, 1));
  for (const OpEntry& entry : SN_BUILD::op_table().ops) {
    if (entry.name != "sum" && entry.name != "logSumExp") continue;
    for (const Values& axes : {Values{0}, Values{1}, Values{0, 1}}) {
      const Shape kept = axes.size() == 2 ? Shape{} : Shape{axes[0] == 0 ? 70 : 300};
      std::vector<std::vector<uint8_t>> results;
      for (const int blocks : {1, 3, 8}) {
        Queue queue;
        queue.most_blocks = blocks;
        const Array y(DType::kFloat32, kept);
        const View in = x.view(), out = y.view();
        entry.run({queue, {&in, 1}, {&out, 1}, axes});
        results.push_back(y.bytes());
      }
      EXPECT_EQ(results[0], results[1]) << entry.name;
      EXPECT_EQ(results[0], results[2]) << entry.name;
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
