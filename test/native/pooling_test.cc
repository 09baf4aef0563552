// Pooling in the emulator against loops in double: ties, NaN, windows that overlap and windows that reach over the
// edge.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

const double kNan = std::nan("");

struct Case {
  int64_t batch, height, width, channels;
  int64_t filter_height, filter_width, stride_height, stride_width, pad_top, pad_left;
  int64_t out_height, out_width;

  Shape x() const { return {batch, height, width, channels}; }
  Shape y() const { return {batch, out_height, out_width, channels}; }
  Values params() const {
    return {double(filter_height), double(filter_width), double(stride_height),
            double(stride_width),  double(pad_top),      double(pad_left)};
  }
};

const Case kCases[] = {
    {2, 4, 6, 4, 2, 2, 2, 2, 0, 0, 2, 3}, {1, 5, 4, 3, 3, 3, 2, 2, 1, 0, 3, 2},  {1, 5, 6, 8, 3, 2, 1, 1, 1, 0, 5, 6},
    {1, 4, 4, 1, 1, 1, 3, 3, 0, 0, 2, 2}, {0, 3, 3, 2, 2, 2, 1, 1, 0, 0, 2, 2},  {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1},
    {1, 5, 7, 3, 2, 2, 2, 2, 0, 0, 2, 3}, {2, 5, 5, 16, 2, 2, 3, 3, 1, 1, 2, 2}, {1, 5, 5, 4, 2, 2, 2, 2, 1, 0, 3, 2},
};

// Small integers, so that windows have ties.
Values ties(int64_t n, uint32_t seed) {
  Values values = random_values(n, -3, 3, seed);
  for (double& value : values) value = std::round(value);
  return values;
}

// Calls visit(y element, the window's x elements in row-major order).
template <class Visit>
void windows(const Case& c, Visit visit) {
  size_t output = 0;
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t r = 0; r < c.out_height; ++r) {
      for (int64_t q = 0; q < c.out_width; ++q) {
        for (int64_t d = 0; d < c.channels; ++d) {
          std::vector<size_t> cells;
          for (int64_t i = 0; i < c.filter_height; ++i) {
            for (int64_t j = 0; j < c.filter_width; ++j) {
              const int64_t row = r * c.stride_height - c.pad_top + i, column = q * c.stride_width - c.pad_left + j;
              if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
              cells.push_back(size_t(((b * c.height + row) * c.width + column) * c.channels + d));
            }
          }
          visit(output++, cells);
        }
      }
    }
  }
}

TEST(Pooling, MaxAgreesWithALoop) {
  for (const Case& c : kCases) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
      const Array x(dtype, c.x(), ties(size_of_shape(c.x()), 1)), dy(dtype, c.y(), ties(size_of_shape(c.y()), 2));
      const Array g(dtype, c.x(), ties(size_of_shape(c.x()), 3));
      const Values vx = x.values(), vdy = dy.values(), vg = g.values();
      Values y(vdy.size()), dx(vx.size()), picked(vdy.size());
      windows(c, [&](size_t output, const std::vector<size_t>& cells) {
        size_t winner = cells[0];
        for (const size_t cell : cells) winner = vx[cell] > vx[winner] ? cell : winner;
        y[output] = vx[winner];
        dx[winner] += vdy[output];
        picked[output] = vg[winner];
      });
      const Array result(dtype, c.y(), y);
      check_op("maxPool", {&x}, {{dtype, c.y(), y}}, c.params(), kExact);
      check_op("maxPool/backward", {&dy, &x, &result}, {{dtype, c.x(), dx}}, c.params(), kExact);
      check_op("maxPool/pick", {&g, &x, &result}, {{dtype, c.y(), picked}}, c.params(), kExact);
    }
  }
}

TEST(Pooling, AvgAgreesWithALoop) {
  for (const Case& c : kCases) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
      const Array x(dtype, c.x(), ties(size_of_shape(c.x()), 1)), dy(dtype, c.y(), ties(size_of_shape(c.y()), 2));
      const Values vx = x.values(), vdy = dy.values();
      Values y(vdy.size()), dx(vx.size());
      windows(c, [&](size_t output, const std::vector<size_t>& cells) {
        for (const size_t cell : cells) {
          y[output] += vx[cell] / double(cells.size());
          dx[cell] += vdy[output] / double(cells.size());
        }
      });
      check_op("avgPool", {&x}, {{dtype, c.y(), y}}, c.params(), kElementwise);
      check_op("avgPool/backward", {&dy}, {{dtype, c.x(), dx}}, c.params(), kElementwise);
    }
  }
}

TEST(Pooling, NanWinsItsWindow) {
  const Array x = f32({1, 2, 4, 1}, {1, kNan, kNan, 2, 3, 4, 5, 6}), y = f32({1, 1, 2, 1}, {kNan, kNan});
  const Array dy = f32({1, 1, 2, 1}, {7, 8});
  const Values params{2, 2, 2, 2, 0, 0};
  check_op("maxPool", {&x}, {{DType::kFloat32, {1, 1, 2, 1}, {kNan, kNan}}}, params, kExact);
  check_op("maxPool/backward", {&dy, &x, &y}, {{DType::kFloat32, {1, 2, 4, 1}, {0, 7, 8, 0, 0, 0, 0, 0}}}, params,
           kExact);
}

TEST(Pooling, MaxOfIntegers) {
  const Array x = i32({1, 2, 2, 1}, {-5, -7, -2147483648.0, -9});
  check_op("maxPool", {&x}, {{DType::kInt32, {1, 1, 1, 1}, {-5}}}, {2, 2, 1, 1, 0, 0}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
