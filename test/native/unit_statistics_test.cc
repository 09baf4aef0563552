// Statistics of units in the emulator against loops in double: one unit and many, more rows than a chunk, values far
// from zero, NaN and infinities, every kind of unit.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
enum Kind { kActive, kDead, kLinear, kSaturated, kNotFinite };

// As LeakyReLU with both its lines, and limits at -2 and 5 to have some.
const Values kRanges{0, 5, -2, 0, -2, 5};

struct Statistics {
  Values mean, variance, finite, kind;
  Values all() const {
    Values rows;
    for (const Values* row : {&mean, &variance, &finite, &kind}) rows.insert(rows.end(), row->begin(), row->end());
    return rows;
  }
};

// What a unit's values are, told one property at a time.
Kind kind_of(const Values& unit, const Values& judged) {
  const auto every = [&](const Values& values, auto holds) {
    for (const double value : values) {
      if (!holds(value)) return false;
    }
    return true;
  };
  if (!every(unit, [](double v) { return std::isfinite(v); })) return kNotFinite;
  if (every(unit, [](double v) { return v == 0; })) return kDead;
  if (every(judged, [](double v) { return v > 0 && v < 5; })) return kLinear;
  if (every(judged, [](double v) { return v > -2 && v < 0; })) return kLinear;
  return every(unit, [](double v) { return v <= -2 || v >= 5; }) ? kSaturated : kActive;
}

Statistics reference(const Values& y, const Values& judged, int64_t units) {
  Statistics result;
  for (int64_t unit = 0; unit < units; ++unit) {
    Values own, side;
    for (size_t i = size_t(unit); i < y.size(); i += size_t(units)) {
      own.push_back(y[i]);
      side.push_back(judged[i]);
    }
    double count = 0, mean = 0, variance = 0;
    for (const double value : own) {
      if (!std::isfinite(value)) continue;
      count += 1;
      mean += (value - mean) / count;
    }
    for (const double value : own) {
      if (std::isfinite(value)) variance += (value - mean) * (value - mean) / count;
    }
    result.mean.push_back(count == 0 ? kNan : mean);
    result.variance.push_back(count == 0 ? kNan : variance);
    result.finite.push_back(count);
    result.kind.push_back(kind_of(own, side));
  }
  return result;
}

void check(const Array& y, const Array* judged, int64_t rows, int64_t units) {
  const Values values = y.values();
  const Statistics expected = reference(values, judged ? judged->values() : values, units);
  // Variances are sums of squares far larger than float's rounding; the double sums leave a few units in the last
  // place.
  Values magnitudes = expected.all();
  for (int64_t unit = 0; unit < units; ++unit) {
    for (int64_t row = 0; row < rows; ++row) {
      const double value = values[size_t(row * units + unit)];
      if (std::isfinite(value)) magnitudes[size_t(unit)] = std::max(magnitudes[size_t(unit)], std::abs(value));
    }
  }
  check_op("unitStatistics", {&y, judged}, {{DType::kFloat64, {4, units}, expected.all(), magnitudes}}, kRanges,
           kComposite);
}

TEST(UnitStatistics, AgreesWithDouble) {
  struct Size {
    int64_t rows, units;
  };
  for (const Size size : {Size{1, 1}, {3, 1}, {2, 5}, {70, 3}, {5, 300}, {5500, 3}, {40, 33}}) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16, DType::kFloat16}) {
      // In the emulator every element of a block is a turn of its own: one dtype is enough for the large ones.
      if (dtype != DType::kFloat32 && size.rows * size.units > 300) continue;
      const Values values = random_values(size.rows * size.units, -3, 6);
      check(Array(dtype, {size.rows, size.units}, values), nullptr, size.rows, size.units);
    }
  }
}

TEST(UnitStatistics, KeepsTheDigitsOfValuesFarFromZero) {
  Values values = random_values(300 * 3, -1, 1);
  for (double& value : values) value += 1e7;
  check(f64({300, 3}, values), nullptr, 300, 3);
}

TEST(UnitStatistics, TellsEveryKind) {
  // dead, on the line above, on the line below, at the limits, both lines, NaN, infinity first, all NaN
  const int64_t rows = 3, units = 8;
  const Array y = f32({rows, units}, {0, 1, -1,   -2, 1,  1,    kInfinity,  kNan,  //
                                      0, 2, -1,   5,  -1, kNan, 1,          kNan,  //
                                      0, 4, -1.5, 7,  1,  0,    -kInfinity, kNan});
  check(y, nullptr, rows, units);
  for (const int block : kBlockSizes) {
    Array out(DType::kFloat64, {4, units});
    run_op("unitStatistics", block, {&y, nullptr}, {&out}, kRanges);
    const Values all = out.values(), kinds(all.end() - units, all.end());
    EXPECT_EQ(kinds, (Values{kDead, kLinear, kLinear, kSaturated, kActive, kNotFinite, kNotFinite, kNotFinite}));
  }
}

TEST(UnitStatistics, JudgesLinesByAnotherArrayIfThereIsOne) {
  const Array y = f32({2, 2}, {1, 1, 2, 2}), judged = f32({2, 2}, {1, 1, 1, -1});
  check(y, &judged, 2, 2);
  for (const int block : kBlockSizes) {
    Array out(DType::kFloat64, {4, 2});
    run_op("unitStatistics", block, {&y, &judged}, {&out}, kRanges);
    EXPECT_EQ(out.values()[6], kLinear);
    EXPECT_EQ(out.values()[7], kActive);
  }
}

TEST(UnitStatistics, NothingIsWrittenWithoutRowsOrUnits) {
  const Array empty = f32({0, 3}, {}), narrow = f32({3, 0}, {});
  for (const int block : kBlockSizes) {
    Array out(DType::kFloat64, {4, 3}), none(DType::kFloat64, {4, 0});
    const auto before = out.bytes();
    run_op("unitStatistics", block, {&empty, nullptr}, {&out}, kRanges);
    run_op("unitStatistics", block, {&narrow, nullptr}, {&none}, kRanges);
    EXPECT_EQ(out.bytes(), before);
  }
}

}  // namespace
}  // namespace selfnorm::test
