// cumsum, topk, range and linspace in the emulator against loops in double.
#include <algorithm>
#include <numeric>

#include "op_harness.h"

namespace selfnorm::test {
namespace {

struct Extent {
  int64_t outer, length, inner;
};

Values scanned(const Values& x, Extent e, bool exclusive, bool reverse) {
  Values y(x.size());
  for (int64_t outer = 0; outer < e.outer; ++outer) {
    for (int64_t inner = 0; inner < e.inner; ++inner) {
      double sum = 0;
      for (int64_t step = 0; step < e.length; ++step) {
        const int64_t position = reverse ? e.length - 1 - step : step;
        const auto at = size_t((outer * e.length + position) * e.inner + inner);
        y[at] = exclusive ? sum : sum + x[at];
        sum += x[at];
      }
    }
  }
  return y;
}

TEST(Cumsum, EveryDirectionAndSeveralChunks) {
  // 600 takes three chunks, 70000 a second level of chunks.
  for (const Extent e : {Extent{1, 1, 1}, {2, 5, 3}, {1, 600, 1}, {2, 257, 2}, {3, 1, 70}, {1, 70000, 1}, {2, 0, 3}}) {
    for (const bool exclusive : {false, true}) {
      for (const bool reverse : {false, true}) {
        const Shape shape{e.outer, e.length, e.inner};
        const Array x = f64(shape, random_values(size_of_shape(shape), -1, 1));
        const Values y = scanned(x.values(), e, exclusive, reverse);
        check_op("cumsum", {&x}, {{DType::kFloat64, shape, y}}, {1, double(exclusive), double(reverse)}, kComposite);
      }
    }
  }
}

TEST(Cumsum, OtherDtypes) {
  const Values x = random_values(40, -1, 1);
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    const Array stored(dtype, {40}, x);
    const Values y = scanned(stored.values(), {1, 40, 1}, false, false);
    check_op("cumsum", {&stored}, {{dtype, {40}, y}}, {0, 0, 0}, kReduction);
  }
  const Array integers = i32({3}, {2147483647, 1, 5});
  check_op("cumsum", {&integers}, {{DType::kInt32, {3}, {2147483647, -2147483648.0, -2147483643.0}}}, {0, 0, 0},
           kExact);
}

// Positions of a row in the order topk promises.
std::vector<int64_t> ranked(const Values& row) {
  std::vector<int64_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const double left = row[size_t(a)], right = row[size_t(b)];
    if (std::isnan(left) != std::isnan(right)) return std::isnan(left);
    return left > right;
  });
  return order;
}

void check_topk(DType dtype, int64_t rows, int64_t length, int64_t k, const Values& x) {
  const Array input(dtype, {rows, length}, x);
  const Values stored = input.values();
  Values values, positions;
  for (int64_t row = 0; row < rows; ++row) {
    const Values own(stored.begin() + row * length, stored.begin() + (row + 1) * length);
    const std::vector<int64_t> order = ranked(own);
    for (int64_t pick = 0; pick < k; ++pick) {
      values.push_back(own[size_t(order[size_t(pick)])]);
      positions.push_back(double(order[size_t(pick)]));
    }
  }
  check_op("topk", {&input}, {{dtype, {rows, k}, values}, {DType::kInt32, {rows, k}, positions}}, {}, kExact);
}

TEST(Topk, FewAndMany) {
  // 33 and more picks take the sort in place of the rounds.
  struct Case {
    int64_t rows, length, k;
  };
  for (const Case c : {Case{1, 1, 1}, {3, 7, 2}, {2, 40, 32}, {2, 40, 33}, {1, 301, 301}, {2, 3, 0}, {0, 3, 2}}) {
    check_topk(DType::kFloat32, c.rows, c.length, c.k, random_values(c.rows * c.length, -1, 1));
  }
}

TEST(Topk, TiesNanAndEveryDtype) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  check_topk(DType::kFloat32, 2, 5, 4, {1, 3, 3, 2, 3, 0, 0, -0.0, 0, 0});
  check_topk(DType::kFloat64, 1, 6, 6, {1, nan, infinity, nan, -infinity, 2});
  Values repeated(80);
  for (size_t i = 0; i < repeated.size(); ++i) repeated[i] = double(i % 3);
  for (const DType dtype : {DType::kFloat16, DType::kBfloat16, DType::kInt32, DType::kUint8}) {
    check_topk(dtype, 2, 40, 3, repeated);
    check_topk(dtype, 1, 80, 40, repeated);
  }
  check_topk(DType::kBool, 1, 4, 3, {0, 1, 0, 1});
}

TEST(Range, EveryDtype) {
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kInt32}) {
    check_op("range", {}, {{dtype, {5}, {3, 1, -1, -3, -5}}}, {3, -2}, kExact);
  }
  check_op("range", {}, {{DType::kFloat32, {0}, {}}}, {0, 1}, kExact);
}

TEST(Linspace, HitsBothEnds) {
  check_op("linspace", {}, {{DType::kFloat64, {4}, {0.1, 0.1 + 0.2 / 3, 0.1 + 0.4 / 3, 0.3}}}, {0.1, 0.3},
           kElementwise);
  check_op("linspace", {}, {{DType::kFloat32, {1}, {4}}}, {4, 9}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
