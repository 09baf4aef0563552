// Optimizer steps in the emulator against the published rules in double: several steps, more parameters than a launch
// holds, empty and unaligned ones, every dtype; clipping, weight decay, schedules and averages.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What one element's step needs beside its own values; t is counted from 1, `product` is Nadam's up to t.
struct Now {
  double rate, t, product;
};

struct Rule {
  const char* op;
  Values settings;
  // One for each slot: what it starts from.
  Values slots;
  void (*step)(const Now& now, double& p, double g, double* slots);
};

double nadam_momentum(double t) { return 0.9 * (1 - 0.5 * std::pow(0.96, t)); }

const Rule kRules[] = {
    {"sgd", {}, {}, [](const Now& now, double& p, double g, double*) { p -= now.rate * g; }},
    {"momentum",
     {0.9, 0},
     {0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] - now.rate * g;
       p += s[0];
     }},
    {"momentum",
     {0.5, 1},
     {0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.5 * s[0] - now.rate * g;
       p += 0.5 * s[0] - now.rate * g;
     }},
    {"adam",
     {0.9, 0.999, 1e-7},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g;
       s[1] = 0.999 * s[1] + (1 - 0.999) * g * g;
       const double correction = std::sqrt(1 - std::pow(0.999, now.t)) / (1 - std::pow(0.9, now.t));
       p -= now.rate * correction * s[0] / (std::sqrt(s[1]) + 1e-7);
     }},
    {"adamax",
     {0.9, 0.999, 1e-7},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g;
       // std::fmax would drop NaN.
       s[1] = !(0.999 * s[1] >= std::abs(g)) ? std::abs(g) : 0.999 * s[1];
       p -= now.rate / (1 - std::pow(0.9, now.t)) * s[0] / (s[1] + 1e-7);
     }},
    {"nadam",
     {0.9, 0.999, 1e-7},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g;
       s[1] = 0.999 * s[1] + (1 - 0.999) * g * g;
       const double next = nadam_momentum(now.t + 1);
       const double mean = next * s[0] / (1 - now.product * next) + (1 - nadam_momentum(now.t)) * g / (1 - now.product);
       p -= now.rate * mean / (std::sqrt(s[1] / (1 - std::pow(0.999, now.t))) + 1e-7);
     }},
    {"adadelta",
     {0.95, 1e-4},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.95 * s[0] + 0.05 * g * g;
       const double step = std::sqrt(s[1] + 1e-4) / std::sqrt(s[0] + 1e-4) * g;
       s[1] = 0.95 * s[1] + 0.05 * step * step;
       p -= now.rate * step;
     }},
    {"adagrad",
     {1e-7},
     {0.1},
     [](const Now& now, double& p, double g, double* s) {
       s[0] += g * g;
       p -= now.rate * g / std::sqrt(s[0] + 1e-7);
     }},
    {"rmsprop",
     {0.9, 0, 1e-4, 0},
     {0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g * g;
       p -= now.rate * g / std::sqrt(s[0] + 1e-4);
     }},
    {"rmsprop",
     {0.9, 0.5, 1e-4, 0},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g * g;
       s[1] = 0.5 * s[1] + now.rate * g / std::sqrt(s[0] + 1e-4);
       p -= s[1];
     }},
    {"rmsprop",
     {0.9, 0, 1e-4, 1},
     {0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g * g;
       s[1] = 0.9 * s[1] + 0.1 * g;
       p -= now.rate * g / std::sqrt(s[0] - s[1] * s[1] + 1e-4);
     }},
    {"rmsprop",
     {0.9, 0.5, 1e-4, 1},
     {0, 0, 0},
     [](const Now& now, double& p, double g, double* s) {
       s[0] = 0.9 * s[0] + 0.1 * g * g;
       s[1] = 0.9 * s[1] + 0.1 * g;
       s[2] = 0.5 * s[2] + now.rate * g / std::sqrt(s[0] - s[1] * s[1] + 1e-4);
       p -= s[2];
     }},
    {"lion",
     {0.9, 0.99},
     {0},
     [](const Now& now, double& p, double g, double* s) {
       const double direction = 0.9 * s[0] + 0.1 * g;
       s[0] = 0.99 * s[0] + 0.01 * g;
       p -= now.rate * (direction > 0 ? 1 : direction < 0 ? -1 : direction);
     }},
};

enum Clip { kNoClip = 0, kClipNorm, kClipGlobalNorm, kClipValue };

struct Options {
  int clip = kNoClip;
  double limit = 0, weight_decay = 0;
};

double norm_of(const Values& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

Array fixed_rate(double rate) { return f64({2}, {0, rate}); }
Array new_progress() { return f64({13}, {0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0}); }

// Parameters with their gradients, slots and the reference's idea of them.
struct Problem {
  const Rule& rule;
  DType dtype;
  Options options;
  std::vector<Array> gradients, parameters, slots;
  std::vector<Values> expected_parameters, expected_slots;
  Array schedule = fixed_rate(0.05);
  Array progress = new_progress();
  double product = 1;

  Problem(const Rule& of, DType type, const std::vector<int64_t>& sizes, Options with = {})
      : rule(of), dtype(type), options(with) {
    const DType slot_type = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
    for (const int64_t n : sizes) {
      const auto seed = uint32_t(parameters.size() + 1);
      gradients.emplace_back(dtype, Shape{n}, random_values(n, -1, 1, seed));
      parameters.emplace_back(dtype, Shape{n}, random_values(n, -2, 2, seed + 1000));
      expected_parameters.push_back(parameters.back().values());
      for (const double initial : rule.slots) {
        slots.emplace_back(slot_type, Shape{n}, Values(size_t(n), initial));
        expected_slots.emplace_back(size_t(n), initial);
      }
    }
  }

  double scale_of(size_t i) const {
    if (options.clip == kClipNorm) return options.limit / std::max(norm_of(gradients[i].values()), options.limit);
    if (options.clip != kClipGlobalNorm) return 1;
    Values norms;
    for (const Array& gradient : gradients) norms.push_back(norm_of(gradient.values()));
    return options.limit / std::max(norm_of(norms), options.limit);
  }

  void run(int block, double step) {
    const auto count = int64_t(gradients.size());
    Array norms(DType::kFloat64, {count});
    const bool clips_norms = options.clip == kClipNorm || options.clip == kClipGlobalNorm;
    std::vector<const Array*> inputs{&schedule, clips_norms ? &norms : nullptr};
    std::vector<const Array*> all;
    std::vector<Array*> outputs{&progress};
    const size_t own_slots = rule.slots.size();
    for (size_t i = 0; i < parameters.size(); ++i) {
      all.push_back(&gradients[i]);
      outputs.push_back(&parameters[i]);
      for (size_t s = 0; s < own_slots; ++s) outputs.push_back(&slots[i * own_slots + s]);
    }
    inputs.insert(inputs.end(), all.begin(), all.end());
    if (clips_norms) run_op("squaredNorms", block, all, {&norms}, {0});
    Values params{1, 0, double(options.clip), options.limit, options.weight_decay, -kInfinity, 0};
    params.insert(params.end(), rule.settings.begin(), rule.settings.end());
    run_op(rule.op, block, inputs, outputs, params);

    product *= nadam_momentum(step);
    const Now now{schedule.values()[1], step, product};
    for (size_t i = 0; i < parameters.size(); ++i) {
      const Values gradient = gradients[i].values();
      const double scale = scale_of(i), limit = options.clip == kClipValue ? options.limit : INFINITY;
      for (size_t e = 0; e < gradient.size(); ++e) {
        double own[3] = {};
        for (size_t s = 0; s < own_slots; ++s) own[s] = expected_slots[i * own_slots + s][e];
        double& parameter = expected_parameters[i][e];
        parameter -= parameter * options.weight_decay * now.rate;
        rule.step(now, parameter, std::min(std::max(gradient[e] * scale, -limit), limit), own);
        for (size_t s = 0; s < own_slots; ++s) expected_slots[i * own_slots + s][e] = own[s];
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
    for (const auto& [dtype, tolerance] : {std::pair{DType::kFloat32, 4e-6},
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
    Problem problem(rule, DType::kFloat32, std::vector<int64_t>(150, 3), {kClipNorm, 0.5, 0.1});
    problem.run(32, 1);
    problem.check(4e-6);
    EXPECT_EQ(problem.progress.values()[0], 1);
  }
}

TEST(Optimizers, ClipAndDecayAtEveryBlockSize) {
  for (const Options& options : {Options{kClipNorm, 0.5, 0.25},
                                 {kClipGlobalNorm, 2, 0},
                                 {kClipGlobalNorm, 1e9, 0.5},
                                 {kClipValue, 0.125, 0.25},
                                 {kNoClip, 0, 0.5}}) {
    for (const auto& [dtype, tolerance] :
         {std::pair{DType::kFloat32, 4e-6}, {DType::kFloat64, 1e-12}, {DType::kBfloat16, 0.05}}) {
      for (const int block : kBlockSizes) {
        Problem problem(kRules[3], dtype, {5, 0, 1, 9000, 33}, options);
        problem.run(block, 1);
        problem.run(block, 2);
        problem.check(tolerance);
      }
    }
  }
}

TEST(Optimizers, NormsBeginWhereTheyAreTold) {
  Array norms = f64({5}, {9, 9, 9, 9, 9});
  const Array first = f32({3}, {1, 2, 2}), second = f32({0}, {});
  run_op("squaredNorms", 32, {&first, &second}, {&norms}, {2});
  EXPECT_EQ(norms.values(), (Values{9, 9, 9, 0, 9}));
  Array rate = fixed_rate(1), progress = new_progress(), parameter = f32({3}, {0, 0, 0});
  run_op("sgd", 32, {&rate, &norms, &first}, {&progress, &parameter}, {1, 2, kClipNorm, 1.5, 0, -kInfinity, 0});
  EXPECT_EQ(parameter.values(), (Values{-0.5, -1, -1}));
}

TEST(Optimizers, ALaterCallOfTheSameStepDoesNotCount) {
  Array rate = fixed_rate(0.5), progress = new_progress(), gradient = f32({1}, {1});
  Array first = f32({1}, {1}), second = f32({1}, {1});
  run_op("sgd", 32, {&rate, nullptr, &gradient}, {&progress, &first}, {1, 0, kNoClip, 0, 0, -kInfinity, 0});
  run_op("sgd", 32, {&rate, nullptr, &gradient}, {&progress, &second}, {0, 0, kNoClip, 0, 0, -kInfinity, 0});
  EXPECT_EQ(progress.values()[0], 1);
  EXPECT_EQ(first.values()[0], 0.5);
  EXPECT_EQ(second.values()[0], 0.5);
}

TEST(Optimizers, SchedulesAreFollowedOnTheDevice) {
  struct Case {
    Values schedule;
    double (*rate)(double step);
  };
  const Case cases[] = {
      {{1, 0.5, 4, 0.25, 0}, [](double step) { return 0.5 * std::pow(0.25, step / 4); }},
      {{1, 0.5, 4, 0.25, 1}, [](double step) { return 0.5 * std::pow(0.25, std::floor(step / 4)); }},
      {{2, 0.5, 6, 0.25, 0, 0, 0},
       [](double step) { return 0.5 * (0.75 * (1 + std::cos(M_PI * std::min(step, 6.0) / 6)) / 2 + 0.25); }},
      {{2, 0.5, 6, 0, 1, 2, 1},
       [](double step) {
         if (step < 2) return 0.5 + 0.25 * step;
         return (1 + std::cos(M_PI * std::min(step - 2, 6.0) / 6)) / 2;
       }},
      {{3, 2, 3, 6, 0.5, 0.25, 0.125}, [](double step) { return step <= 3   ? 0.5
                                                                : step <= 6 ? 0.25
                                                                            : 0.125; }},
      {{4, 0.5, 6, 0.125, 2, 0}, [](double step) { return 0.375 * std::pow(1 - std::min(step, 6.0) / 6, 2) + 0.125; }},
      {{4, 0.5, 4, 0.125, 1, 1},
       [](double step) { return 0.375 * (1 - step / (4 * std::max(1.0, std::ceil(step / 4)))) + 0.125; }},
      {{5, 0.5, 4, 2, 0}, [](double step) { return 0.5 / (1 + 2 * step / 4); }},
      {{5, 0.5, 4, 2, 1}, [](double step) { return 0.5 / (1 + 2 * std::floor(step / 4)); }},
  };
  for (const auto& [numbers, rate] : cases) {
    Array schedule = f64({int64_t(numbers.size())}, numbers), progress = new_progress();
    Array gradient = f64({1}, {1}), parameter = f64({1}, {0});
    double expected = 0;
    for (int step = 0; step < 10; ++step) {
      run_op("sgd", 32, {&schedule, nullptr, &gradient}, {&progress, &parameter}, {1, 0, kNoClip, 0, 0, -kInfinity, 0});
      expected -= rate(step);
      EXPECT_NEAR(parameter.values()[0], expected, 1e-12) << "schedule " << numbers[0] << ", step " << step;
    }
  }
}

TEST(Optimizers, AveragesStartFromTheParametersAndFollowThem) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kFloat64}) {
    const DType slot_type = dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
    for (const int block : kBlockSizes) {
      for (const double step : {1.0, 2.0}) {
        const Array progress = f64({13}, {step, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0});
        const Array small(dtype, {5}, random_values(5, -1, 1, 1)), large(dtype, {4099}, random_values(4099, -1, 1, 2));
        Array first(slot_type, {5}, Values(5, 0.5)), second(slot_type, {4099}, Values(4099, 0.5));
        run_op("averageParameters", block, {&progress, &small, &large}, {&first, &second}, {0.75});
        for (const auto& [parameter, average] : {std::pair{&small, &first}, {&large, &second}}) {
          const Values from = parameter->values(), to = average->values();
          for (size_t e = 0; e < from.size(); ++e) {
            ASSERT_NEAR(to[e], step == 1 ? from[e] : 0.75 * 0.5 + 0.25 * from[e], 1e-7);
          }
        }
      }
    }
  }
}

TEST(Optimizers, NanInAGradientReachesItsParameterAndNoOther) {
  for (const Rule& rule : kRules) {
    for (const int clip : {int(kNoClip), int(kClipValue)}) {
      Problem problem(rule, DType::kFloat32, {9}, {clip, 0.5, 0});
      problem.gradients.clear();
      problem.gradients.push_back(f32({9}, {0, 1, std::nan(""), 1, 0, 1, 0, 1, 0}));
      problem.run(32, 1);
      const Values actual = problem.parameters[0].values();
      for (size_t e = 0; e < actual.size(); ++e) EXPECT_EQ(std::isnan(actual[e]), e == 2) << rule.op;
    }
  }
}

TEST(Optimizers, KeepParametersFromFallingBelowTheLeast) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16}) {
    for (const int block : kBlockSizes) {
      const Values nan_at_3{1, -1, 0.25, std::nan(""), -3, 2, 1, 0.5, -0.125};
      const int64_t n = int64_t(nan_at_3.size());
      Array rate = fixed_rate(0.5), progress = new_progress(), parameter(dtype, {n}, nan_at_3);
      const Array gradient(dtype, {n}, Values(nan_at_3.size(), 1.0));
      run_op("sgd", block, {&rate, nullptr, &gradient}, {&progress, &parameter}, {1, 0, kNoClip, 0, 0, 0, 0});
      const Values found = parameter.values();
      for (size_t i = 0; i < found.size(); ++i) {
        if (i == 3) {
          EXPECT_TRUE(std::isnan(found[i]));
        } else {
          EXPECT_EQ(found[i], nan_at_3[i] < 0.5 ? 0 : nan_at_3[i] - 0.5) << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
