// Loss scaling in the emulator: what a step does with a scaled gradient, what it leaves alone when one is not finite,
// and how the scale moves. All of it on the device, in numbers that are exact.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
enum Progress { kStep = 0, kTaken = 7, kUnscale, kLossScale, kGoodSteps, kSkipped };
enum Clip { kNoClip = 0, kClipNorm, kClipGlobalNorm };

Array progress_of(double scale, double good_steps = 0) {
  return f64({13}, {0, 1, 0, 1, 0, 0, 0, 1, 1, scale, good_steps, 0, 0});
}

struct Step {
  Array schedule = f64({2}, {0, 0.125});
  Array progress;
  std::vector<Array> parameters, slots;

  explicit Step(double scale, double good_steps = 0) : progress(progress_of(scale, good_steps)) {
    for (const int64_t n : {5, 0, 4099}) {
      parameters.push_back(f32({n}, random_values(n, -1, 1, uint32_t(n + 1))));
      for (int slot = 0; slot < 2; ++slot) slots.push_back(f32({n}, random_values(n, 0, 1, uint32_t(n + 2 + slot))));
    }
  }

  // Gradients for a step; those of the last parameter end with `last`.
  static std::vector<Array> gradients(double scale, double last) {
    std::vector<Array> result;
    for (const int64_t n : {5, 0, 4099}) {
      Values values = random_values(n, -1, 1, uint32_t(n + 9));
      if (n == 4099) values.back() = last;
      for (double& value : values) value = float(value) * scale;
      result.push_back(f32({n}, values));
    }
    return result;
  }

  void adam(int block, const std::vector<Array>& given, double growth_steps, int clip = kNoClip, double limit = 0) {
    Array norms(DType::kFloat64, {int64_t(given.size())});
    std::vector<const Array*> all, inputs{&schedule, &norms};
    std::vector<Array*> outputs{&progress};
    for (size_t i = 0; i < given.size(); ++i) {
      all.push_back(&given[i]);
      inputs.push_back(&given[i]);
      outputs.insert(outputs.end(), {&parameters[i], &slots[2 * i], &slots[2 * i + 1]});
    }
    run_op("squaredNorms", block, all, {&norms}, {0});
    run_op("adam", block, inputs, outputs,
           {1, 0, double(clip), limit, 0.01, -kInfinity, growth_steps, 0.9, 0.999, 1e-7});
  }

  std::vector<std::vector<uint8_t>> bytes() const {
    std::vector<std::vector<uint8_t>> all;
    for (const auto* arrays : {&parameters, &slots}) {
      for (const Array& array : *arrays) all.push_back(array.bytes());
    }
    return all;
  }
};

TEST(LossScaling, AScaledStepIsTheStepOfTheGradientsThemselves) {
  for (const int block : kBlockSizes) {
    for (const auto& [clip, limit] : {std::pair{int(kNoClip), 0.0}, {kClipNorm, 0.5}, {kClipGlobalNorm, 0.5}}) {
      Step plain(1), scaled(1024);
      plain.adam(block, Step::gradients(1, 0.25), 0, clip, limit);
      scaled.adam(block, Step::gradients(1024, 0.25), 2000, clip, limit);
      EXPECT_EQ(plain.bytes(), scaled.bytes()) << "block " << block << ", clip " << clip;
      EXPECT_EQ(scaled.progress.values()[kStep], 1);
      EXPECT_EQ(scaled.progress.values()[kUnscale], 1.0 / 1024);
    }
  }
}

TEST(LossScaling, AStepWithAGradientThatIsNotFiniteMovesNothing) {
  for (const int block : kBlockSizes) {
    for (const double bad : {kInfinity, -kInfinity, std::nan("")}) {
      Step step(1024, 7);
      step.adam(block, Step::gradients(1, 0.25), 2000);
      const auto before = step.bytes();
      step.adam(block, Step::gradients(1, bad), 2000);
      EXPECT_EQ(step.bytes(), before) << "block " << block << ", " << bad;
      const Values progress = step.progress.values();
      EXPECT_EQ(progress[kStep], 1);
      EXPECT_EQ(progress[kTaken], 0);
      EXPECT_EQ(progress[kLossScale], 512);
      EXPECT_EQ(progress[kGoodSteps], 0);
      EXPECT_EQ(progress[kSkipped], 1);
      // The next good step counts again.
      step.adam(block, Step::gradients(512, 0.25), 2000);
      EXPECT_NE(step.bytes(), before);
      EXPECT_EQ(step.progress.values()[kStep], 2);
      EXPECT_EQ(step.progress.values()[kGoodSteps], 1);
    }
  }
}

TEST(LossScaling, TheScaleDoublesAfterSoManyGoodStepsAndStaysAPowerOfTwo) {
  Step step(256);
  double scale = 256;
  for (int i = 1; i <= 7; ++i) {
    step.adam(32, Step::gradients(scale, 0.25), 3);
    if (i % 3 == 0) scale *= 2;
    EXPECT_EQ(step.progress.values()[kLossScale], scale) << i;
    EXPECT_EQ(step.progress.values()[kGoodSteps], i % 3) << i;
  }
  for (const auto& [from, last] : {std::pair{0x1p100, 0.25}, {0x1p-100, kInfinity}}) {
    Step end(from);
    end.adam(32, Step::gradients(1, last), 1);
    EXPECT_EQ(end.progress.values()[kLossScale], from);
  }
}

TEST(LossScaling, WithoutItNothingIsLeftOut) {
  Step step(1);
  step.adam(32, Step::gradients(1, kInfinity), 0);
  EXPECT_EQ(step.progress.values()[kStep], 1);
  EXPECT_EQ(step.progress.values()[kSkipped], 0);
  EXPECT_TRUE(std::isnan(step.parameters[2].values().back()));
}

TEST(LossScaling, AveragesAndConstraintsWaitForAStepThatIsTaken) {
  for (const int block : kBlockSizes) {
    for (const double taken : {0.0, 1.0}) {
      const Array progress = f64({13}, {3, 1, 0, 1, 0, 0, 0, taken, 1, 1, 0, 0, 0});
      const Array value = f32({33}, random_values(33, -1, 1));
      Array average = f32({33}, Values(33, 0.5)), assigned = f32({33}, Values(33, 0.5));
      run_op("averageParameters", block, {&progress, &value}, {&average}, {0.75});
      run_op("assignIfTaken", block, {&value, &progress}, {&assigned});
      for (size_t i = 0; i < 33; ++i) {
        EXPECT_NEAR(average.values()[i], taken == 1 ? 0.375 + 0.25 * value.values()[i] : 0.5, 1e-7);
        EXPECT_EQ(assigned.values()[i], taken == 1 ? value.values()[i] : 0.5);
      }
    }
  }
}

TEST(LossScaling, LossesAreMultipliedByTheScaleInTheirOwnType) {
  const Array progress = f64({13}, {3, 1, 0, 1, 0, 0, 0, 1, 1, 32768, 0, 0, 0});
  const Array loss = f32({3}, {1.5, -2, 0});
  check_op("scaleLoss", {&loss, &progress}, {{DType::kFloat32, {3}, {49152, -65536, 0}}}, {}, kExact);
  const Array half(DType::kFloat16, {2}, {1.5, 2});
  check_op("scaleLoss", {&half, &progress}, {{DType::kFloat16, {2}, {49152, kInfinity}}}, {}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
