// Optimizer steps in the emulator against the published rules in double: several steps, more parameters than a launch
// holds, empty and unaligned ones, every dtype.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

struct Rule {
  const char* op;
  Values settings;
  int slots;
  // One element's step, t counted from 1.
  void (*step)(double rate, double t, double& p, double g, double* slots);
};

const Rule kRules[] = {
    {"sgd", {}, 0, [](double rate, double, double& p, double g, double*) { p -= rate * g; }},
    {"momentum",
     {0.9, 0},
     1,
     [](double rate, double, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] - rate * g;
       p += s[0];
     }},
    {"momentum",
     {0.5, 1},
     1,
     [](double rate, double, double& p, double g, double* s) {
       s[0] = 0.5 * s[0] - rate * g;
       p += 0.5 * s[0] - rate * g;
     }},
    {"adam",
     {0.9, 0.999, 1e-7},
     2,
     [](double rate, double t, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g;
       s[1] = 0.999 * s[1] + (1 - 0.999) * g * g;
       p -= rate * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t)) * s[0] / (std::sqrt(s[1]) + 1e-7);
     }},
};

// Parameters with their gradients, slots and the reference's idea of them.
struct Problem {
  const Rule& rule;
  DType dtype;
  std::vector<Array> gradients, parameters, slots;
  std::vector<Values> expected_parameters, expected_slots;
  Array learning_rate = f64({}, {0.05});
  Array progress = f64({2}, {0, 0});

  Problem(const Rule& of, DType type, const std::vector<int64_t>& sizes) : rule(of), dtype(type) {
    const DType slot_type = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
    for (const int64_t n : sizes) {
      const auto seed = uint32_t(parameters.size() + 1);
      gradients.emplace_back(dtype, Shape{n}, random_values(n, -1, 1, seed));
      parameters.emplace_back(dtype, Shape{n}, random_values(n, -2, 2, seed + 1000));
      expected_parameters.push_back(parameters.back().values());
      for (int s = 0; s < rule.slots; ++s) {
        slots.emplace_back(slot_type, Shape{n}, Values(size_t(n), 0));
        expected_slots.emplace_back(size_t(n), 0.0);
      }
    }
  }

  void run(int block, double step) {
    std::vector<const Array*> inputs{&learning_rate};
    std::vector<Array*> outputs{&progress};
    for (size_t i = 0; i < parameters.size(); ++i) {
      inputs.push_back(&gradients[i]);
      outputs.push_back(&parameters[i]);
      for (int s = 0; s < rule.slots; ++s) outputs.push_back(&slots[i * size_t(rule.slots) + size_t(s)]);
    }
    Values params{1};
    params.insert(params.end(), rule.settings.begin(), rule.settings.end());
    run_op(rule.op, block, inputs, outputs, params);
    for (size_t i = 0; i < parameters.size(); ++i) {
      const Values gradient = gradients[i].values();
      for (size_t e = 0; e < gradient.size(); ++e) {
        double own[2] = {};
        for (int s = 0; s < rule.slots; ++s) own[s] = expected_slots[i * size_t(rule.slots) + size_t(s)][e];
        rule.step(learning_rate.values()[0], step, expected_parameters[i][e], gradient[e], own);
        for (int s = 0; s < rule.slots; ++s) expected_slots[i * size_t(rule.slots) + size_t(s)][e] = own[s];
      }
    }
  }

  void check(double tolerance) const {
    for (size_t i = 0; i < parameters.size(); ++i) {
      const Values actual = parameters[i].values();
      for (size_t e = 0; e < actual.size(); ++e) {
        ASSERT_TRUE(std::abs(actual[e] - expected_parameters[i][e]) <= tolerance)
            << rule.op << ", parameter " << i << ", element " << e << ": expected " << expected_parameters[i][e]
            << ", got " << actual[e];
      }
    }
  }
};

TEST(Optimizers, StepsFollowTheRulesAtEveryBlockSize) {
  for (const Rule& rule : kRules) {
    for (const auto& [dtype, tolerance] : {std::pair{DType::kFloat32, 2e-6},
                                           {DType::kFloat64, 1e-12},
                                           {DType::kFloat16, 6e-3},
                                           {DType::kBfloat16, 0.05}}) {
      for (const int block : kBlockSizes) {
        Problem problem(rule, dtype, {5, 0, 1, 4100, 33});
        problem.run(block, 1);
        problem.run(block, 2);
        // Stored between steps: the parameter is rounded once a step.
        problem.check(tolerance);
        EXPECT_EQ(problem.progress.values()[0], 2);
      }
    }
  }
}

TEST(Optimizers, MoreParametersThanALaunchHolds) {
  for (const Rule& rule : kRules) {
    Problem problem(rule, DType::kFloat32, std::vector<int64_t>(150, 3));
    problem.run(32, 1);
    problem.check(2e-6);
    EXPECT_EQ(problem.progress.values()[0], 1);
  }
}

TEST(Optimizers, ALaterCallOfTheSameStepDoesNotCount) {
  Array rate = f64({}, {0.5}), progress = f64({2}, {0, 0}), gradient = f32({1}, {1});
  Array first = f32({1}, {1}), second = f32({1}, {1});
  run_op("sgd", 32, {&rate, &gradient}, {&progress, &first}, {1});
  run_op("sgd", 32, {&rate, &gradient}, {&progress, &second}, {0});
  EXPECT_EQ(progress.values()[0], 1);
  EXPECT_EQ(first.values()[0], 0.5);
  EXPECT_EQ(second.values()[0], 0.5);
}

TEST(Optimizers, NanInAGradientReachesItsParameterAndNoOther) {
  for (const Rule& rule : kRules) {
    Problem problem(rule, DType::kFloat32, {9});
    problem.gradients.clear();
    problem.gradients.push_back(f32({9}, {0, 1, std::nan(""), 1, 0, 1, 0, 1, 0}));
    problem.run(32, 1);
    const Values actual = problem.parameters[0].values();
    for (size_t e = 0; e < actual.size(); ++e) EXPECT_EQ(std::isnan(actual[e]), e == 2) << rule.op;
  }
}

}  // namespace
}  // namespace selfnorm::test
