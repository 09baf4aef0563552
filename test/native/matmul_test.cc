// Matrix products in the emulator against a triple loop in double: sizes around the tile, every transpose, broadcast
// batches, bias and activation.
#include "op_harness.h"

#include "../../cuda/kernels/activations.h"

namespace selfnorm::test {
namespace {

struct Sizes {
  int64_t m, n, k;
};

// One matrix product of row-major operands.
Values product(const Values& a, const Values& b, Sizes s, bool transpose_a, bool transpose_b) {
  Values y(size_t(s.m * s.n));
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (int64_t d = 0; d < s.k; ++d) {
        sum += a[size_t(transpose_a ? d * s.m + i : i * s.k + d)] * b[size_t(transpose_b ? j * s.k + d : d * s.n + j)];
      }
      y[size_t(i * s.n + j)] = sum;
    }
  }
  return y;
}

Shape matrix(int64_t rows, int64_t columns, bool transposed) {
  return transposed ? Shape{columns, rows} : Shape{rows, columns};
}

TEST(Matmul, EveryTransposeAndSize) {
  for (const Sizes s : {Sizes{1, 1, 1}, {2, 3, 4}, {5, 1, 70}, {1, 37, 3}, {33, 31, 65}, {0, 3, 2}, {2, 3, 0}}) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
          const Array a(dtype, matrix(s.m, s.k, transpose_a), random_values(s.m * s.k, -1, 1));
          const Array b(dtype, matrix(s.k, s.n, transpose_b), random_values(s.k * s.n, -1, 1, 2));
          const Values y = product(a.values(), b.values(), s, transpose_a, transpose_b);
          check_op("matmul", {&a, &b}, {{dtype, {s.m, s.n}, y}}, {double(transpose_a), double(transpose_b)},
                   kComposite);
        }
      }
    }
  }
}

TEST(Matmul, BatchesBroadcast) {
  // a [2,1,3,2,3], b [4,1,3,2]: batch axes 2,4,3 where none merge.
  const Sizes s{2, 2, 3};
  const Array a = f64({2, 1, 3, 2, 3}, random_values(36, -1, 1)), b = f64({4, 1, 3, 2}, random_values(24, -1, 1, 2));
  const Values x = a.values(), w = b.values();
  Values y;
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      for (int64_t l = 0; l < 3; ++l) {
        const auto from_a = x.begin() + (i * 3 + l) * 6, from_b = w.begin() + j * 6;
        const Values one = product({from_a, from_a + 6}, {from_b, from_b + 6}, s, false, false);
        y.insert(y.end(), one.begin(), one.end());
      }
    }
  }
  check_op("matmul", {&a, &b}, {{DType::kFloat64, {2, 4, 3, 2, 2}, y}}, {0, 0}, kComposite);
}

TEST(Matmul, IntegersWrap) {
  const Array a = i32({1, 2}, {2147483647, 2}), b = i32({2, 1}, {2, 3});
  check_op("matmul", {&a, &b}, {{DType::kInt32, {1, 1}, {4}}}, {0, 0}, kExact);
}

TEST(Matmul, BiasThenActivationAndThePreActivation) {
  // Row 1 of the activation table is relu.
  const Sizes s{3, 5, 4};
  const Array a = f32({3, 4}, random_values(12, -1, 1)), b = f32({4, 5}, random_values(20, -1, 1, 2));
  const Array bias = f32({5}, random_values(5, -1, 1, 3));
  Values pre = product(a.values(), b.values(), s, false, false);
  for (size_t i = 0; i < pre.size(); ++i) pre[i] += bias.values()[i % 5];
  Values y = pre;
  for (double& value : y) value = std::max(value, 0.0);
  const Expected output{DType::kFloat32, {3, 5}, y}, kept{DType::kFloat32, {3, 5}, pre};
  check_op("matmul", {&a, &b, &bias}, {kept}, {0, 0}, kComposite);
  check_op("matmul", {&a, &b, &bias}, {output}, {0, 0, 1}, kComposite);
  check_op("matmul", {&a, &b, &bias}, {output, kept}, {0, 0, 1}, kComposite);
}

// By the plain kernel and by the emulated tensor cores: the op's passes must agree with both.
template <class Body>
void with_both_engines(Body body) {
  for (const bool cores : {false, true}) {
    tensor_cores = cores;
    body();
  }
  tensor_cores = false;
}

TEST(Matmul, DropoutFollowsTheActivationWhoseArgumentOrResultIsKept) {
  const Values mask = {20000, 0.9, 0.2, -1.5};
  const Array stamp = i32({4}, {5, -6, 7, 8});
  struct Case {
    const char* name;
    double row;
    Values parameters;
    bool keeps_input;
  };
  const Case cases[] = {{"selu", 5, {1.6, 1.05}, false}, {"gelu", 12, {}, true}, {"linear", -1, {}, false}};
  for (const auto& [name, row, parameters, keeps_input] : cases) {
    if (row >= 0) {
      ASSERT_STREQ(SN_BUILD::op_table().activations[size_t(row)].name, name);
    }
    for (const DType dtype : {DType::kFloat32, DType::kBfloat16}) {
      const Array a(dtype, {5, 12}, random_values(60, -1, 1)), b(dtype, {12, 7}, random_values(84, -1, 1, 2));
      const Array bias(dtype, {7}, random_values(7, -1, 1, 3));
      with_both_engines([&] {
        Array product(dtype, {5, 7}), active(dtype, {5, 7}), kept(dtype, {5, 7}), y(dtype, {5, 7}), end(dtype, {5, 7});
        run_op("matmul", 32, {&a, &b, &bias}, {&product}, {0, 0});
        Values params = {0, 0, row};
        params.insert(params.end(), parameters.begin(), parameters.end());
        params.insert(params.end(), mask.begin(), mask.end());
        run_op("matmul", 32, {&a, &b, &bias, &stamp}, {&y, &kept}, params);
        if (keeps_input) {
          EXPECT_EQ(kept.bytes(), product.bytes()) << name;
          run_op(std::string(name) + "/forward", 32, {&kept}, {&active}, parameters);
        } else {
          active = kept.copy();
          if (dtype == DType::kFloat32) {
            run_op(std::string(name) + "/forward", 32, {&product}, {&end}, parameters);
            EXPECT_EQ(kept.bytes(), end.bytes()) << name;
          }
        }
        run_op("dropout", 32, {&active, &stamp}, {&end}, mask);
        EXPECT_EQ(y.bytes(), end.bytes()) << name;
        // Without a place for it nothing is kept, and in float32 nothing else changes.
        run_op("matmul", 32, {&a, &b, &bias, &stamp}, {&end}, params);
        if (dtype == DType::kFloat32) {
          EXPECT_EQ(y.bytes(), end.bytes()) << name;
        }
      });
    }
  }
}

TEST(Matmul, DropoutCountsItsDrawsOverAllBatches) {
  // Batch axes 2,4,3 where none merge, so that a library is called more than once.
  const Array a = f32({2, 1, 3, 2, 3}, random_values(36, -1, 1)), b = f32({4, 1, 3, 2}, random_values(24, -1, 1, 2));
  const Array stamp = i32({4}, {1, 2, 3, 4});
  const Values mask = {30000, 1, 0, 0};
  with_both_engines([&] {
    Array product(DType::kFloat32, {2, 4, 3, 2, 2}), y(DType::kFloat32, {2, 4, 3, 2, 2});
    Array expected(DType::kFloat32, {2, 4, 3, 2, 2});
    run_op("matmul", 32, {&a, &b}, {&product}, {0, 0});
    run_op("dropout", 32, {&product, &stamp}, {&expected}, mask);
    run_op("matmul", 32, {&a, &b, nullptr, &stamp}, {&y}, {0, 0, -1, mask[0], mask[1], mask[2], mask[3]});
    EXPECT_EQ(y.bytes(), expected.bytes());
  });
}

TEST(Matmul, NanAndInfinityPassThrough) {
  const double nan = std::nan("");
  const Array a = f32({2, 2}, {nan, 0, 1, 1}), b = f32({2, 2}, {1, 2, 3, std::numeric_limits<double>::infinity()});
  check_op("matmul", {&a, &b}, {{DType::kFloat32, {2, 2}, {nan, nan, 4, std::numeric_limits<double>::infinity()}}},
           {0, 0}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
