// Strided copies, concat and pad in the emulator against index arithmetic on the host: every element size, odd and
// empty sizes, tiles that are cut at both edges.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

constexpr DType kSizes[] = {DType::kFloat64, DType::kFloat32, DType::kBfloat16, DType::kUint8};

// Small integers, which every dtype holds exactly.
Values counting(int64_t n) {
  Values values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = double(i % 100 + 1);
  return values;
}

// What a walk over `sizes` reads from `x`.
Values walked(const Values& x, const Shape& sizes, const Shape& strides, int64_t offset) {
  Values result;
  const int64_t n = size_of_shape(sizes);
  for (int64_t i = 0; i < n; ++i) {
    int64_t rest = i, at = offset;
    for (size_t axis = sizes.size(); axis-- > 0;) {
      at += rest % sizes[axis] * strides[axis];
      rest /= sizes[axis];
    }
    result.push_back(x[size_t(at)]);
  }
  return result;
}

void check_copy(const Shape& from, const Shape& sizes, const Shape& strides, int64_t offset = 0) {
  for (const DType dtype : kSizes) {
    const Array x(dtype, from, counting(size_of_shape(from)));
    Values params{double(offset), double(sizes.size())};
    params.insert(params.end(), sizes.begin(), sizes.end());
    params.insert(params.end(), strides.begin(), strides.end());
    check_op("copy", {&x}, {{dtype, {size_of_shape(sizes)}, walked(x.values(), sizes, strides, offset)}}, params,
             kExact);
  }
}

TEST(Copy, Contiguous) {
  check_copy({7}, {7}, {1});
  check_copy({64}, {64}, {1});
  check_copy({1}, {}, {});
  check_copy({0}, {0, 3}, {3, 1});
}

TEST(Copy, Broadcasts) {
  check_copy({3}, {5, 3}, {0, 1});
  check_copy({5}, {5, 3}, {1, 0});
  check_copy({2, 3}, {2, 4, 3, 2}, {3, 0, 1, 0});
}

TEST(Copy, TransposesWithTilesCutAtTheEdges) {
  for (const Shape& size : {Shape{1, 5}, {33, 31}, {64, 64}, {70, 3}, {2, 97}}) {
    check_copy(size, {size[1], size[0]}, {1, size[1]});
  }
  // Batches in front, between and in both strides.
  check_copy({2, 3, 5}, {2, 5, 3}, {15, 1, 5});
  check_copy({3, 2, 5}, {5, 2, 3}, {1, 5, 10});
  check_copy({2, 3, 4, 5}, {5, 3, 2, 4}, {1, 20, 60, 5});
}

TEST(Copy, SlicesAndReverses) {
  check_copy({6, 8}, {4, 4}, {8, 1}, 12);
  check_copy({6, 7}, {3, 5}, {7, 1}, 8);
  check_copy({6, 7}, {6, 7}, {7, -1}, 6);
  check_copy({6, 7}, {6, 7}, {-7, -1}, 41);
  check_copy({2, 3, 4}, {2, 3, 4}, {12, -4, 1}, 8);
}

TEST(Concat, AlongEveryAxis) {
  for (const DType dtype : kSizes) {
    // a [2, 3], b [2, 1], c [2, 0] along axis 1; a and d [4, 3] along axis 0.
    const Array a(dtype, {2, 3}, {1, 2, 3, 4, 5, 6}), b(dtype, {2, 1}, {7, 8}), c(dtype, {2, 0}, {});
    const Array d(dtype, {4, 3}, counting(12));
    check_op("concat", {&a, &b, &c}, {{dtype, {2, 4}, {1, 2, 3, 7, 4, 5, 6, 8}}}, {1}, kExact);
    Values rows{1, 2, 3, 4, 5, 6};
    for (const double value : counting(12)) rows.push_back(value);
    check_op("concat", {&a, &d}, {{dtype, {6, 3}, rows}}, {0}, kExact);
  }
}

TEST(Pad, EveryMarginAndEmptyInputs) {
  for (const DType dtype : kSizes) {
    const Array x(dtype, {2, 2}, {1, 2, 3, 4});
    check_op("pad", {&x}, {{dtype, {3, 4}, {9, 9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9}}}, {9, 1, 1}, kExact);
    check_op("pad", {&x}, {{dtype, {4, 2}, {1, 2, 3, 4, 5, 5, 5, 5}}}, {5, 0, 0}, kExact);
    const Array none(dtype, {0, 2}, {});
    check_op("pad", {&none}, {{dtype, {1, 3}, {2, 2, 2}}}, {2, 1, 0}, kExact);
  }
  const Array volume = f32({2, 1, 3}, counting(6));
  check_op("pad", {&volume},
           {{DType::kFloat32, {2, 3, 3}, {-1, -1, -1, 1, 2, 3, -1, -1, -1, -1, -1, -1, 4, 5, 6, -1, -1, -1}}},
           {-1, 0, 1, 0}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
