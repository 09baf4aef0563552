// Batch and layer normalisation in the emulator against loops in double: few channels and many, more rows than a chunk,
// rows that do not fill a period, empty and single ones, a mean far from zero.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

struct Size {
  int64_t rows, width;
};
// The last two: more columns than a tile and more rows than a chunk.
const Size kSizes[] = {{0, 3}, {1, 1}, {2, 5}, {37, 3}, {3, 257}, {5500, 3}};
const Size kRowSizes[] = {{0, 3}, {1, 1}, {2, 5}, {7, 3}, {2, 512}};
const DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kBfloat16};
// In the emulator every element of a block is a turn of its own: one dtype is enough for the large ones.
bool too_slow(DType dtype, Size size) { return dtype != DType::kFloat32 && size.rows * size.width > 50; }
constexpr double kEpsilon = 0.01;

DType wide(DType dtype) { return dtype == DType::kFloat64 ? dtype : DType::kFloat32; }

// Everything a normalisation of columns needs, in double.
struct Columns {
  DType dtype;
  int64_t rows, width;
  Array x, dy, mean, variance, scale, offset;

  Columns(DType type, Size size, double centre = 0.5)
      : dtype(type),
        rows(size.rows),
        width(size.width),
        x(type, {rows, width}, random_values(rows * width, centre - 2, centre + 2)),
        dy(type, {rows, width}, random_values(rows * width, -1, 1, 2)),
        mean(wide(type), {width}, random_values(width, -1, 1, 3)),
        variance(wide(type), {width}, random_values(width, 0.5, 2, 4)),
        scale(wide(type), {width}, random_values(width, 0.5, 2, 5)),
        offset(wide(type), {width}, random_values(width, -1, 1, 6)) {}
  Expected like_x(Values values, Values magnitudes = {}) const {
    return {dtype, {rows, width}, std::move(values), std::move(magnitudes)};
  }
  Expected like_mean(Values values, Values magnitudes = {}) const {
    return {wide(dtype), {width}, std::move(values), std::move(magnitudes)};
  }
};

TEST(Normalize, BatchNormAgreesWithDouble) {
  for (const DType dtype : kFloats) {
    for (const Size size : kSizes) {
      if (too_slow(dtype, size)) continue;
      const Columns c(dtype, size);
      const Values x = c.x.values(), dy = c.dy.values(), mean = c.mean.values(), variance = c.variance.values();
      const Values scale = c.scale.values(), offset = c.offset.values();
      Values y(x.size()), plain(x.size()), dx(x.size());
      const Values zeros(size_t(c.width), 0.0);
      Values d_mean = zeros, d_variance = zeros, d_offset = zeros, d_scale = zeros;
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t k = i % size_t(c.width);
        const double inverse = 1 / std::sqrt(variance[k] + kEpsilon), normal = (x[i] - mean[k]) * inverse;
        plain[i] = normal;
        y[i] = normal * scale[k] + offset[k];
        dx[i] = dy[i] * inverse * scale[k];
        d_mean[k] -= dx[i];
        d_variance[k] -= 0.5 * dx[i] * normal * inverse;
        d_offset[k] += dy[i];
        d_scale[k] += dy[i] * normal;
      }
      check_op("linear/batch_norm", {&c.x, &c.mean, &c.variance, &c.offset, &c.scale}, {c.like_x(y)}, {kEpsilon},
               kReduction);
      check_op("linear/batch_norm", {&c.x, &c.mean, &c.variance, nullptr, nullptr}, {c.like_x(plain)}, {kEpsilon},
               kReduction);
      check_op("batchNorm/backward", {&c.dy, &c.mean, &c.variance, &c.scale}, {c.like_x(dx)}, {kEpsilon}, kReduction);
      check_op("batchNorm/parametersBackward", {&c.dy, &c.x, &c.mean, &c.variance, &c.scale},
               {c.like_mean(d_mean), c.like_mean(d_variance), c.like_mean(d_offset), c.like_mean(d_scale)}, {kEpsilon},
               kComposite);
    }
  }
}

struct Moments {
  Values mean, variance;
};
Moments moments_of(const Values& x, int64_t rows, int64_t width) {
  Moments m{Values(size_t(width), 0.0), Values(size_t(width), 0.0)};
  for (size_t i = 0; i < x.size(); ++i) m.mean[i % size_t(width)] += x[i] / double(rows);
  for (size_t i = 0; i < x.size(); ++i) {
    const double away = x[i] - m.mean[i % size_t(width)];
    m.variance[i % size_t(width)] += away * away / double(rows);
  }
  return m;
}

TEST(Normalize, BatchNormTrainingAgreesWithDouble) {
  for (const DType dtype : kFloats) {
    for (const Size size : kSizes) {
      if (too_slow(dtype, size)) continue;
      if (size.rows == 0) continue;  // moments of nothing are NaN
      const Columns c(dtype, size);
      const Values x = c.x.values(), dy = c.dy.values(), scale = c.scale.values(), offset = c.offset.values();
      const Moments m = moments_of(x, c.rows, c.width);
      Values y(x.size()), dx(x.size()), sum(size_t(c.width), 0.0), product(size_t(c.width), 0.0);
      Values y_terms(x.size()), dx_terms(x.size()), sum_terms(sum), product_terms(sum);
      const auto normal = [&](size_t i) {
        const size_t k = i % size_t(c.width);
        return (x[i] - m.mean[k]) / std::sqrt(m.variance[k] + kEpsilon);
      };
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t k = i % size_t(c.width);
        y[i] = normal(i) * scale[k] + offset[k];
        y_terms[i] = std::abs(normal(i) * scale[k]) + std::abs(offset[k]);
        sum[k] += dy[i];
        sum_terms[k] += std::abs(dy[i]);
        product[k] += dy[i] * normal(i);
        product_terms[k] += std::abs(dy[i] * normal(i));
      }
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t k = i % size_t(c.width);
        const double rows = double(c.rows), factor = scale[k] / std::sqrt(m.variance[k] + kEpsilon);
        dx[i] = factor * (dy[i] - sum[k] / rows - normal(i) * product[k] / rows);
        dx_terms[i] = factor * (std::abs(dy[i]) + (sum_terms[k] + std::abs(normal(i)) * product_terms[k]) / rows);
      }
      check_op("linear/batch_norm_training", {&c.x, &c.scale, &c.offset},
               {c.like_x(y, y_terms), c.like_mean(m.mean), c.like_mean(m.variance)}, {kEpsilon}, kComposite);
      const Array mean(wide(dtype), {c.width}, m.mean), variance(wide(dtype), {c.width}, m.variance);
      // A single row's gradient is a difference of equal numbers: judged by dy's size, not by its own.
      if (c.rows == 1) continue;
      check_op("linear/batch_norm_training_backward", {&c.dy, &c.x, &mean, &variance, &c.scale, &c.offset},
               {c.like_x(dx, dx_terms), c.like_mean(product, product_terms), c.like_mean(sum, sum_terms)}, {kEpsilon},
               kComposite);
    }
  }
}

TEST(Normalize, MomentsKeepTheirDigitsFarFromZero) {
  const int64_t rows = 300, width = 3;
  Values x = random_values(rows * width, -1, 1);
  for (double& value : x) value = float(value + 10000);
  const Array input = f32({rows, width}, x);
  const Moments m = moments_of(x, rows, width);
  Values y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - m.mean[i % 3]) / std::sqrt(m.variance[i % 3] + kEpsilon);
  // The mean itself is rounded to float, half a thousandth here; the variance is not touched by that.
  for (const int block : kBlockSizes) {
    Array out(DType::kFloat32, {rows, width}), mean(DType::kFloat32, {width}), variance(DType::kFloat32, {width});
    run_op("linear/batch_norm_training", block, {&input, nullptr, nullptr}, {&out, &mean, &variance}, {kEpsilon});
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_TRUE(std::abs(mean.values()[k] - m.mean[k]) <= 0.0005);
      EXPECT_TRUE(std::abs(variance.values()[k] - m.variance[k]) <= 1e-5 * m.variance[k])
          << variance.values()[k] << " for " << m.variance[k] << " at block size " << block;
    }
    for (size_t i = 0; i < y.size(); ++i) EXPECT_TRUE(std::abs(out.values()[i] - y[i]) <= 0.002);
  }
}

// The activation's own op in double.
Values in_double(const ActivationFacts& facts, const char* op, const std::vector<Values>& inputs) {
  Values parameters;
  for (int i = 0; i < facts.parameter_count; ++i) parameters.push_back(facts.parameters[i].fallback);
  std::vector<Array> arrays;
  std::vector<const Array*> pointers;
  arrays.reserve(inputs.size());
  for (const Values& input : inputs) pointers.push_back(&arrays.emplace_back(f64({int64_t(input.size())}, input)));
  Array output = f64({int64_t(inputs[0].size())}, Values(inputs[0].size(), 0.0));
  run_op(std::string(facts.name) + op, 1, pointers, {&output}, parameters);
  return output.values();
}

class BatchNormActivation : public testing::TestWithParam<ActivationFacts> {};

// Against "linear/batch_norm..." of the same flavour in double and the activation's own op.
TEST_P(BatchNormActivation, AgreesWithTheActivationOfTheNormalized) {
  const ActivationFacts& facts = GetParam();
  const std::string name = facts.name;
  Values params{kEpsilon};
  for (int i = 0; i < facts.parameter_count; ++i) params.push_back(facts.parameters[i].fallback);
  // Other sizes are tested with the identity, which is the same code.
  const Size size{37, 3};
  const Columns c(DType::kFloat32, size);
  const auto run = [&](const char* op, const std::vector<const Array*>& inputs, const std::vector<Shape>& shapes) {
    std::vector<Array> outputs;
    outputs.reserve(shapes.size());
    std::vector<Array*> pointers;
    for (const Shape& shape : shapes) pointers.push_back(&outputs.emplace_back(DType::kFloat64, shape));
    run_op(std::string("linear") + op, 1, inputs, pointers, {kEpsilon});
    std::vector<Values> values;
    for (const Array& output : outputs) values.push_back(output.values());
    return values;
  };
  const Shape whole{c.rows, c.width}, channels{c.width};
  const Array x(DType::kFloat64, whole, c.x.values()), scale(DType::kFloat64, channels, c.scale.values());
  const Array offset(DType::kFloat64, channels, c.offset.values()), mean(DType::kFloat64, channels, c.mean.values());
  const Array variance(DType::kFloat64, channels, c.variance.values());
  const Values given = run("/batch_norm", {&x, &mean, &variance, &offset, &scale}, {whole})[0];
  check_op(name + "/batch_norm", {&c.x, &c.mean, &c.variance, &c.offset, &c.scale},
           {c.like_x(in_double(facts, "/forward", {given}), Values(given.size(), 4.0))}, params, kComposite);
  const auto trained = run("/batch_norm_training", {&x, &scale, &offset}, {whole, channels, channels});
  const Values y = in_double(facts, "/forward", {trained[0]});
  check_op(name + "/batch_norm_training", {&c.x, &c.scale, &c.offset},
           {c.like_x(y, Values(y.size(), 4.0)), c.like_mean(trained[1]), c.like_mean(trained[2])}, params, kComposite);
  const Array own_mean(DType::kFloat32, channels, trained[1]), own_variance(DType::kFloat32, channels, trained[2]);
  // Where the slope jumps, rounding may fall to either side: judged away from there.
  Values seed = c.dy.values();
  for (size_t i = 0; i < seed.size(); ++i) {
    for (int k = 0; k < facts.kink_count; ++k) {
      if (std::abs(trained[0][i] - facts.kinks[k]) < 1e-3) seed[i] = 0;
    }
  }
  const Array dy(DType::kFloat32, whole, seed);
  const Values saved = facts.saves == Saves::kInput ? trained[0] : y;
  const Array dz(DType::kFloat64, whole, in_double(facts, "/backward", {seed, saved}));
  const Array wide_mean(DType::kFloat64, channels, trained[1]), wide_variance(DType::kFloat64, channels, trained[2]);
  const auto expected = run("/batch_norm_training_backward", {&dz, &x, &wide_mean, &wide_variance, &scale, &offset},
                            {whole, channels, channels});
  const Values terms(channels[0], 2.0 * double(c.rows));
  check_op(name + "/batch_norm_training_backward", {&dy, &c.x, &own_mean, &own_variance, &c.scale, &c.offset},
           {c.like_x(expected[0], Values(seed.size(), 8.0)), c.like_mean(expected[1], terms),
            c.like_mean(expected[2], terms)},
           params, kComposite);
}

INSTANTIATE_TEST_SUITE_P(Table, BatchNormActivation, testing::ValuesIn(SN_BUILD::op_table().activations),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Normalize, AveragesMoveByTheirShare) {
  for (const DType to : {DType::kFloat32, DType::kFloat64}) {
    for (const int block : kBlockSizes) {
      const Array mean = f32({3}, {1, -2, 0}), variance = f32({3}, {4, 0.5, 1});
      Array average(to, {3}, {0, 2, 8}), spread(to, {3}, {1, 1, 1});
      run_op("batchNorm/averages", block, {&mean, &variance}, {&average, &spread}, {0.25, 0});
      EXPECT_EQ(average.values(), (Values{0.25, 1, 6}));
      EXPECT_EQ(spread.values(), (Values{1.75, 0.875, 1}));
    }
  }
}

TEST(Normalize, AveragesOfChannelsWithoutFiniteMomentsStayWhereThatIsAskedFor) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Array mean = f32({3}, {1, infinity, 1}), variance = f32({3}, {4, 1, std::nan("")});
  for (const double only_finite : {0.0, 1.0}) {
    Array average = f32({3}, {0, 2, 8}), spread = f32({3}, {1, 1, 1});
    run_op("batchNorm/averages", 32, {&mean, &variance}, {&average, &spread}, {0.25, only_finite});
    EXPECT_EQ(average.values()[0], 0.25);
    EXPECT_EQ(spread.values()[0], 1.75);
    if (only_finite != 0) {
      EXPECT_EQ(average.values(), (Values{0.25, 2, 8}));
      EXPECT_EQ(spread.values(), (Values{1.75, 1, 1}));
    } else {
      EXPECT_EQ(average.values()[1], infinity);
      EXPECT_TRUE(std::isnan(spread.values()[2]));
    }
  }
}

TEST(Normalize, LayerNormAgreesWithDouble) {
  for (const DType dtype : kFloats) {
    for (const Size size : kRowSizes) {
      if (too_slow(dtype, size)) continue;
      const Columns c(dtype, size);
      const Values x = c.x.values(), dy = c.dy.values(), scale = c.scale.values(), offset = c.offset.values();
      const size_t rows = size_t(c.rows), width = size_t(c.width);
      Values y(x.size()), plain(x.size()), dx(x.size()), mean(rows, 0.0), inverse(rows, 0.0);
      Values d_scale(width, 0.0), d_offset(width, 0.0), y_terms(x.size()), dx_terms(x.size());
      Values plain_terms(x.size());
      for (size_t row = 0; row < rows; ++row) {
        const double* const from = &x[row * width];
        double variance = 0, sum = 0, product = 0;
        for (size_t i = 0; i < width; ++i) mean[row] += from[i] / double(width);
        for (size_t i = 0; i < width; ++i) variance += std::pow(from[i] - mean[row], 2) / double(width);
        inverse[row] = 1 / std::sqrt(variance + kEpsilon);
        for (size_t i = 0; i < width; ++i) {
          const size_t at = row * width + i;
          plain[at] = (from[i] - mean[row]) * inverse[row];
          plain_terms[at] = (std::abs(from[i]) + std::abs(mean[row])) * inverse[row];
          y[at] = plain[at] * scale[i] + offset[i];
          y_terms[at] = plain_terms[at] * std::abs(scale[i]) + std::abs(offset[i]);
          sum += dy[at] * scale[i] / double(width);
          product += dy[at] * scale[i] * plain[at] / double(width);
          d_scale[i] += dy[at] * plain[at];
          d_offset[i] += dy[at];
        }
        for (size_t i = 0; i < width; ++i) {
          const size_t at = row * width + i;
          dx[at] = inverse[row] * (dy[at] * scale[i] - sum - plain[at] * product);
          dx_terms[at] = inverse[row] * (std::abs(dy[at] * scale[i]) + std::abs(sum) + std::abs(plain[at] * product));
        }
      }
      const Expected means{wide(dtype), {c.rows}, mean}, inverses{wide(dtype), {c.rows}, inverse};
      check_op("layerNorm", {&c.x, &c.scale, &c.offset}, {c.like_x(y, y_terms), means, inverses}, {kEpsilon},
               kComposite);
      check_op("layerNorm", {&c.x, nullptr, nullptr}, {c.like_x(plain, plain_terms), means, inverses}, {kEpsilon},
               kComposite);
      if (c.width == 1) continue;  // a gradient that is 0 by cancellation
      const Array saved_mean(wide(dtype), {c.rows}, mean), saved_inverse(wide(dtype), {c.rows}, inverse);
      check_op("layerNorm/backward", {&c.dy, &c.x, &saved_mean, &saved_inverse, &c.scale},
               {c.like_x(dx, dx_terms), c.like_mean(d_scale), c.like_mean(d_offset)}, {}, kComposite);
      check_op("layerNorm/backward", {&c.dy, &c.x, &saved_mean, &saved_inverse, &c.scale}, {c.like_x(dx, dx_terms)}, {},
               kComposite);
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
