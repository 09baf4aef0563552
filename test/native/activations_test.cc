// Every activation of the table in the emulator: forward, backward and the backward of backward, against the functor
// itself in double and against differences of it.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ActivationTest : public testing::TestWithParam<ActivationFacts> {
 protected:
  static Values parameters() {
    Values values;
    for (int i = 0; i < GetParam().parameter_count; ++i) values.push_back(GetParam().parameters[i].fallback);
    return values;
  }
  static Values run_double(const std::string& op, const std::vector<Values>& inputs) {
    std::vector<Array> arrays;
    std::vector<const Array*> pointers;
    arrays.reserve(inputs.size());
    for (const Values& input : inputs)
      pointers.push_back(&arrays.emplace_back(DType::kFloat64, Shape{int64_t(input.size())}, input));
    Array output(DType::kFloat64, {int64_t(inputs[0].size())});
    run_op(GetParam().name + op, 1, pointers, {&output}, parameters());
    return output.values();
  }
  // Inputs away from the kinks.
  static Values inputs(int64_t n) {
    Values x = random_values(n, -6, 6);
    for (double& value : x) {
      for (int k = 0; k < GetParam().kink_count; ++k) {
        if (std::abs(value - GetParam().kinks[k]) < 1e-3) value += 0.01;
      }
    }
    return x;
  }
};

TEST_P(ActivationTest, AgreesWithDoubleAtEveryBlockSizeAndDtype) {
  const std::string name = GetParam().name;
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kFloat64}) {
    for (const int64_t n : {0, 1, 33, 517}) {
      const Array x(dtype, {n}, random_values(n, -6, 6));
      check_op(name + "/forward", {&x}, {{dtype, {n}, run_double("/forward", {x.values()})}}, parameters(),
               kElementwise);
      const Array dy(dtype, {n}, random_values(n, -2, 2, 2));
      const Array saved(dtype, {n},
                        GetParam().saves == Saves::kInput ? x.values() : run_double("/forward", {x.values()}));
      check_op(name + "/backward", {&dy, &saved},
               {{dtype, {n}, run_double("/backward", {dy.values(), saved.values()})}}, parameters(), kReduction);
      const Array g(dtype, {n}, random_values(n, -2, 2, 3));
      check_op(name + "/second", {&g, &dy, &saved},
               {{dtype, {n}, run_double("/second", {g.values(), dy.values(), saved.values()})}}, parameters(),
               kReduction);
    }
  }
}

TEST_P(ActivationTest, DerivativeIsTheSlopeOfForward) {
  const Values x = inputs(400);
  constexpr double kStep = 1e-5;
  Values above = x, below = x;
  for (size_t i = 0; i < x.size(); ++i) {
    above[i] += kStep;
    below[i] -= kStep;
  }
  const Values high = run_double("/forward", {above}), low = run_double("/forward", {below});
  const Values saved = GetParam().saves == Saves::kInput ? x : run_double("/forward", {x});
  const Values slope = run_double("/backward", {Values(x.size(), 1.0), saved});
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_TRUE(std::abs(slope[i] - (high[i] - low[i]) / (2 * kStep)) <= 1e-8) << GetParam().name << " at " << x[i];
  }
}

TEST_P(ActivationTest, KeepsNanAndRunsInPlace) {
  const Values x{kInfinity, 1, std::nan(""), -1, 0};
  Array y = f32({5}, x);
  run_op(GetParam().name + std::string("/forward"), 32, {&y}, {&y}, parameters());
  EXPECT_TRUE(std::isnan(y.values()[2]));
  const Array fresh_input = f32({5}, x);
  Array fresh(DType::kFloat32, {5});
  run_op(GetParam().name + std::string("/forward"), 32, {&fresh_input}, {&fresh}, parameters());
  EXPECT_EQ(y.bytes(), fresh.bytes());
}

INSTANTIATE_TEST_SUITE_P(Table, ActivationTest, testing::ValuesIn(SN_BUILD::op_table().activations),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace selfnorm::test
