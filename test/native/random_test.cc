// Random tensors in the emulator: the same numbers at every block size, the moments of their distributions, and limits
// that rounding does not cross.
#include "../../cuda/kernels/philox.h"
#include "op_harness.h"

namespace selfnorm::test {
namespace {

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0;
};

Moments moments_of(const Values& values) {
  Moments found;
  found.low = found.high = values[0];
  for (const double value : values) {
    found.mean += value / double(values.size());
    found.low = std::min(found.low, value);
    found.high = std::max(found.high, value);
  }
  for (const double value : values)
    found.variance += (value - found.mean) * (value - found.mean) / double(values.size());
  return found;
}

// Draws at every block size, which must agree bit for bit.
Values draw(const std::string& op, DType dtype, int64_t n, const Values& params) {
  const Array stamp = i32({4}, {7, 0, 1, 0});
  Array first(dtype, {n});
  run_op(op, 1, {&stamp}, {&first}, params);
  for (const int block : kBlockSizes) {
    Array other(dtype, {n});
    run_op(op, block, {&stamp}, {&other}, params);
    EXPECT_EQ(first.bytes(), other.bytes()) << op << " at block size " << block;
  }
  return first.values();
}

constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16};

TEST(Random, UniformFillsItsRangeAndNeverReachesTheTop) {
  for (const DType dtype : kFloats) {
    for (const int64_t n : {1, 3, 517}) draw("random_uniform", dtype, n, {0, 1});
    const Moments found = moments_of(draw("random_uniform", dtype, 20000, {2, 6}));
    EXPECT_TRUE(std::abs(found.mean - 4) < 5 * std::sqrt(16.0 / 12 / 20000) + 0.01);
    EXPECT_TRUE(std::abs(found.variance - 16.0 / 12) < 0.08);
    EXPECT_TRUE(found.low >= 2 && found.high < 6) << int(dtype) << " " << found.low << " " << found.high;
  }
}

TEST(Random, UniformIntegersAreWhole) {
  const Moments found = moments_of(draw("random_uniform", DType::kInt32, 20000, {-2, 3}));
  EXPECT_EQ(found.low, -2);
  EXPECT_EQ(found.high, 2);
  EXPECT_TRUE(std::abs(found.mean) < 5 * std::sqrt(2.0 / 20000));
}

TEST(Random, NormalHasItsMomentsAndTruncationItsLimits) {
  for (const DType dtype : kFloats) {
    const double rounding = dtype == DType::kBfloat16 ? 0.01 : 0.001;
    const Moments normal = moments_of(draw("random_normal", dtype, 20000, {1, 2, 0}));
    EXPECT_TRUE(std::abs(normal.mean - 1) < 5 * 2 / std::sqrt(20000.0) + rounding);
    EXPECT_TRUE(std::abs(normal.variance - 4) < 5 * 4 * std::sqrt(2.0 / 20000) + rounding);
    // 1 - erf(sqrt(2)); the variance of a standard normal number between -2 and 2 is 0.7737.
    const Moments truncated = moments_of(draw("random_normal", dtype, 20000, {0, 1, 0.04550026389635841}));
    EXPECT_TRUE(truncated.low >= -2 && truncated.high <= 2) << truncated.low << " " << truncated.high;
    EXPECT_TRUE(std::abs(truncated.mean) < 5 * 0.88 / std::sqrt(20000.0) + rounding);
    EXPECT_TRUE(std::abs(truncated.variance - 0.7737413) < 0.03);
  }
}

}  // namespace
}  // namespace selfnorm::test
