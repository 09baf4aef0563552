// Bias with activation, and PReLU, in the emulator: forward and backward against the plain activation ops and loops in
// double, and bias gradients against sums over the rows.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

class BiasActivationTest : public testing::TestWithParam<ActivationFacts> {
 protected:
  static Values parameters() {
    Values values;
    for (int i = 0; i < GetParam().parameter_count; ++i) values.push_back(GetParam().parameters[i].fallback);
    return values;
  }
};

// The activation's own op in double.
Values in_double(const std::string& op, const std::vector<Values>& inputs, const Values& parameters) {
  std::vector<Array> arrays;
  std::vector<const Array*> pointers;
  arrays.reserve(inputs.size());
  for (const Values& input : inputs) pointers.push_back(&arrays.emplace_back(f64({int64_t(input.size())}, input)));
  Array output(DType::kFloat64, {int64_t(inputs[0].size())});
  run_op(op, 1, pointers, {&output}, parameters);
  return output.values();
}

TEST_P(BiasActivationTest, AgreesWithTheActivationOfTheSum) {
  const std::string name = GetParam().name;
  const Shape shapes[] = {{3, 5}, {70, 8}, {1, 1}, {0, 4}, {2, 40}, {300, 60}};
  for (const Shape& shape : shapes) {
    for (const DType dtype : {DType::kFloat32, DType::kBfloat16}) {
      if (dtype == DType::kBfloat16 && shape[0] > 70) continue;
      const int64_t columns = shape[1], n = shape[0] * columns;
      const Array x(dtype, shape, random_values(n, -3, 3)), bias(dtype, {columns}, random_values(columns, -1, 1, 2));
      Values sums = x.values();
      const Values offsets = bias.values();
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += offsets[i % size_t(columns)];
      const Values y = in_double(name + "/forward", {sums}, parameters());
      check_op(name + "/bias_forward", {&x, &bias}, {{dtype, shape, y}}, parameters(), kElementwise);
      check_op(name + "/bias_forward", {&x, &bias}, {{dtype, shape, y}, {dtype, shape, sums}}, parameters(),
               kElementwise);

      const Array dy(dtype, shape, random_values(n, -2, 2, 3));
      const Array saved(dtype, shape, GetParam().saves == Saves::kInput ? sums : y);
      const Values dz = in_double(name + "/backward", {dy.values(), saved.values()}, parameters());
      Values dbias(size_t(columns), 0), magnitudes(size_t(columns), 0);
      for (size_t i = 0; i < dz.size(); ++i) {
        dbias[i % size_t(columns)] += dz[i];
        magnitudes[i % size_t(columns)] += std::abs(dz[i]);
      }
      check_op(name + "/bias_backward", {&dy, &saved}, {{dtype, shape, dz}, {dtype, {columns}, dbias, magnitudes}},
               parameters(), kReduction);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, BiasActivationTest, testing::ValuesIn(SN_BUILD::op_table().activations),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Prelu, ForwardAndBackwardForEveryWayOfSharing) {
  const struct {
    Shape x, alpha;
  } shapes[] = {{{7}, {7}},
                {{4, 3}, {3}},
                {{4, 3}, {}},
                {{4, 3}, {4, 1}},
                {{300, 40}, {40}},
                {{2, 3, 4, 2}, {1, 1, 2}},
                {{2, 3, 4, 2}, {3, 1, 1}},
                {{2, 3, 4, 2}, {2, 1, 4, 1}},
                {{2, 70, 3}, {70, 1}},
                {{0, 3}, {3}},
                {{1}, {1}}};
  for (const auto& shape : shapes) {
    const int64_t n = size_of_shape(shape.x), slopes = size_of_shape(shape.alpha);
    Values x = random_values(n, -3, 3), alpha = random_values(slopes, -1, 1, 2), dy = random_values(n, -2, 2, 3);
    if (n > 1) x[1] = 0;
    Values y(x.size()), dx(x.size()), dalpha(alpha.size(), 0);
    for (size_t i = 0; i < x.size(); ++i) {
      int64_t rest = int64_t(i), stride = 1, at = 0;
      for (size_t back = 1; back <= shape.x.size(); ++back) {
        const int64_t size = shape.x[shape.x.size() - back], position = rest % size;
        rest /= size;
        if (back > shape.alpha.size()) continue;
        const int64_t own = shape.alpha[shape.alpha.size() - back];
        at += own == 1 ? 0 : position * stride;
        stride *= own;
      }
      const size_t a = size_t(at);
      y[i] = x[i] > 0 ? x[i] : alpha[a] * x[i];
      dx[i] = x[i] > 0 ? dy[i] : alpha[a] * dy[i];
      dalpha[a] += x[i] > 0 ? 0 : dy[i] * x[i];
    }
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const Array in(dtype, shape.x, x), slope(dtype, shape.alpha, alpha), seed(dtype, shape.x, dy);
      check_op("prelu", {&in, &slope}, {{dtype, shape.x, y}}, {}, kElementwise);
      check_op("prelu/backward", {&seed, &in, &slope}, {{dtype, shape.x, dx}, {dtype, shape.alpha, dalpha}}, {},
               kReduction);
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
