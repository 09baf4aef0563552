// Accumulation in the emulator: gradients of several calls make one step by their mean, calls before it move nothing,
// and when the step was due nothing of them is left.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
enum Progress { kStep = 0, kTaken = 7, kLossScale = 9, kSkipped = 11, kAccumulated = 12 };
constexpr int kBatches = 4;

struct Accumulated {
  DType dtype;
  Array schedule = f64({2}, {0, 0.5});
  Array progress;
  std::vector<Array> parameters, sums;

  explicit Accumulated(DType type, double scale = 1)
      : dtype(type), progress(f64({13}, {0, 1, 0, 1, 0, 0, 0, 1, 1, scale, 0, 0, 0})) {
    for (const int64_t n : {5, 0, 4099, 33}) {
      parameters.emplace_back(dtype, Shape{n}, Values(size_t(n), 1));
      const DType wide = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
      sums.emplace_back(wide, Shape{n}, Values(size_t(n), 0));
    }
  }

  // Every gradient is `value`, but for the last element of the third parameter.
  void give(int block, double value, double last, double growth_steps = 0) {
    std::vector<Array> gradients;
    for (const Array& parameter : parameters) {
      Values values(size_t(parameter.view().size()), value);
      if (values.size() == 4099) values.back() = last;
      gradients.emplace_back(dtype, Shape{int64_t(values.size())}, values);
    }
    std::vector<const Array*> given, waiting;
    std::vector<Array*> added, stepped{&progress};
    for (size_t i = 0; i < gradients.size(); ++i) {
      given.push_back(&gradients[i]);
      waiting.push_back(&sums[i]);
      added.push_back(&sums[i]);
      stepped.push_back(&parameters[i]);
    }
    run_op("accumulateGradients", block, given, added, {1.0 / kBatches});
    Array norms(DType::kFloat64, {int64_t(waiting.size())});
    run_op("squaredNorms", block, waiting, {&norms}, {0});
    std::vector<const Array*> inputs{&schedule, &norms};
    inputs.insert(inputs.end(), waiting.begin(), waiting.end());
    run_op("sgd", block, inputs, stepped, {kBatches, 0, 0, 0, 0, -kInfinity, growth_steps});
    run_op("clearAccumulated", block, {&progress}, added);
  }

  void expect_all(const std::vector<Array>& arrays, double value, const char* what) const {
    for (const Array& array : arrays) {
      for (const double got : array.values()) ASSERT_EQ(got, value) << what;
    }
  }
};

TEST(Accumulation, TheStepIsThatOfTheMean) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const int block : kBlockSizes) {
      Accumulated problem(dtype);
      for (int round = 0; round < 2; ++round) {
        const double start = 1 - 0.5 * 2.5 * round;
        int call = 0;
        for (const double value : {1.0, 2.0, 3.0, 4.0}) {
          problem.expect_all(problem.parameters, start, "before its step");
          EXPECT_EQ(problem.progress.values()[kAccumulated], call++);
          EXPECT_EQ(problem.progress.values()[kStep], round);
          problem.give(block, value, value);
          EXPECT_EQ(problem.progress.values()[kTaken], call == kBatches ? 1 : 0);
        }
        problem.expect_all(problem.parameters, start - 0.5 * 2.5, "after its step");
        problem.expect_all(problem.sums, 0, "what waited");
        EXPECT_EQ(problem.progress.values()[kAccumulated], 0);
        EXPECT_EQ(problem.progress.values()[kStep], round + 1);
      }
    }
  }
}

TEST(Accumulation, AGradientThatIsNotFiniteLeavesOutTheWholeStepAndNothingStays) {
  for (const int block : kBlockSizes) {
    for (const double bad : {kInfinity, std::nan("")}) {
      Accumulated problem(DType::kFloat32, 1024);
      for (int call = 0; call < kBatches; ++call) {
        EXPECT_EQ(problem.progress.values()[kLossScale], 1024);
        problem.give(block, 1, call == 1 ? bad : 1, 2000);
      }
      problem.expect_all(problem.parameters, 1, "left out");
      problem.expect_all(problem.sums, 0, "what waited");
      EXPECT_EQ(problem.progress.values()[kStep], 0);
      EXPECT_EQ(problem.progress.values()[kSkipped], 1);
      EXPECT_EQ(problem.progress.values()[kLossScale], 512);
      for (int call = 0; call < kBatches; ++call) problem.give(block, 512, 512, 2000);
      problem.expect_all(problem.parameters, 0.5, "the next step");
      EXPECT_EQ(problem.progress.values()[kStep], 1);
    }
  }
}

TEST(Accumulation, HalfGradientsWaitInFloat) {
  for (const DType dtype : {DType::kFloat16, DType::kBfloat16}) {
    for (const int block : kBlockSizes) {
      Array gradient(dtype, {4099}, Values(4099, 1));
      Array sum(DType::kFloat32, {4099}, Values(4099, 256));
      run_op("accumulateGradients", block, {&gradient}, {&sum}, {0.125});
      // Which neither of the types has.
      for (const double value : sum.values()) ASSERT_EQ(value, 256.125);
    }
  }
}

TEST(Accumulation, NothingIsClearedBeforeAStepWasDue) {
  for (const int block : kBlockSizes) {
    Array sum(DType::kFloat32, {33}, Values(33, 3));
    const Array waiting = f64({13}, {3, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 2});
    run_op("clearAccumulated", block, {&waiting}, {&sum});
    for (const double value : sum.values()) ASSERT_EQ(value, 3);
  }
}

}  // namespace
}  // namespace selfnorm::test
