// Runs an op of the emulator's table at block sizes 1, 32, 96 and 256 and holds its outputs against a double-precision
// reference. Buffers are exactly as long as their data, so that AddressSanitizer sees one element too many.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "../../cuda/kernels/storage.h"
#include "../../cuda/ops/table.h"
#include "runtime/queue.h"

namespace selfnorm::test {

using Shape = std::vector<int64_t>;
using Values = std::vector<double>;

// A device array of the emulator. Values pass through double.
class Array {
 public:
  Array(DType dtype, Shape shape, const Values& values);
  // Filled with a pattern that no op should leave behind.
  Array(DType dtype, Shape shape);
  Array(Array&& other) noexcept;
  Array& operator=(Array&& other) noexcept;
  Array(const Array&) = delete;
  ~Array();

  const View& view() const { return view_; }
  Values values() const;
  // The bytes as they are, for results that must agree bit for bit.
  std::vector<uint8_t> bytes() const;
  Array copy() const;

 private:
  View view_;
};

inline Array f32(Shape shape, const Values& values) { return {DType::kFloat32, std::move(shape), values}; }
inline Array f64(Shape shape, const Values& values) { return {DType::kFloat64, std::move(shape), values}; }
inline Array i32(Shape shape, const Values& values) { return {DType::kInt32, std::move(shape), values}; }

inline constexpr int kBlockSizes[] = {1, 32, 96, 256};

// Runs an op once with the given block size. Inputs may be null (left out).
void run_op(const std::string& op, int block, const std::vector<const Array*>& inputs,
            const std::vector<Array*>& outputs, const Values& params = {});

struct Expected {
  DType dtype;
  Shape shape;
  Values values;
  // For sums that cancel, the sum of the terms' magnitudes, which rounding errors go by; empty: the values' own.
  Values magnitudes = {};
};

// Units in the last place of the dtype, of the magnitude or a thirty-second part of the largest one.
inline constexpr double kExact = 0, kElementwise = 12, kReduction = 32, kComposite = 128;

// Runs at every block size and checks each output. NaN must meet NaN, an infinity the same infinity.
void check_op(const std::string& op, const std::vector<const Array*>& inputs, const std::vector<Expected>& expected,
              const Values& params, double ulps);

// n values in [low, high], the same on every run; `seed` picks the sequence.
Values random_values(int64_t n, double low, double high, uint32_t seed = 1);

int64_t size_of_shape(const Shape& shape);

}  // namespace selfnorm::test
