// Products of the backward pass: the ops against plain products and passes of their own, and the tensor-core kernel's
// derivative and column sums against the same.
#include "../../cuda/engines/matmul_mma.h"
#include "op_harness.h"

namespace selfnorm::test {
namespace {

using SN_BUILD::MmaTileSize;

const Values kMask = {20000, 1.25, 0, 0};
constexpr int kElu = 4, kSelu = 5, kSoftplus = 7;

const ActivationFacts& facts_of(int activation) {
  return SN_BUILD::op_table().activations[size_t(std::max(activation, 0))];
}

Values parameters_of(int activation) {
  const ActivationFacts& facts = facts_of(activation);
  Values parameters;
  for (int i = 0; i < facts.parameter_count; ++i) parameters.push_back(facts.parameters[i].fallback + 0.25);
  return parameters;
}

// Of columns in double precision, and of their magnitudes.
std::pair<Values, Values> column_sums(const Values& values, int64_t columns) {
  Values sums(size_t(columns), 0.0), magnitudes(size_t(columns), 0.0);
  for (size_t i = 0; i < values.size(); ++i) {
    sums[i % size_t(columns)] += values[i];
    magnitudes[i % size_t(columns)] += std::abs(values[i]);
  }
  return {sums, magnitudes};
}

void expect_sums(const Array& actual, const Array& dz, const std::string& what) {
  const int64_t n = actual.view().size();
  const auto [sums, magnitudes] = column_sums(dz.values(), n);
  const Values values = actual.values();
  // Elements of dz were rounded to its dtype, the sums' terms were not.
  const DType dtype = dz.view().dtype;
  const double ulp = dtype == DType::kFloat32 ? 1e-6 : dtype == DType::kFloat16 ? 1e-3 : 8e-3;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_TRUE(std::abs(values[i] - sums[i]) <= ulp * magnitudes[i] + 1e-30) << what << ", column " << i;
  }
}

// dz and its sums of the product `dy` in passes of their own.
Array passes(const Array& dy, int activation, const Array& saved, const Array* stamp) {
  Array dropped = dy.copy();
  if (stamp != nullptr) run_op("dropout", 32, {&dy, stamp}, {&dropped}, kMask);
  if (activation <= 0) return dropped;
  Array dz = dropped.copy();
  run_op(std::string(facts_of(activation).name) + "/backward", 32, {&dropped, &saved}, {&dz},
         parameters_of(activation));
  return dz;
}

struct Chain {
  DType dtype;
  int64_t m, n, k;
  int activation;
  bool dropout = false, sums = true;
  MmaTileSize tile = MmaTileSize::kSmall;
};

void expect_derivative(const Chain& c) {
  const Array a(c.dtype, {c.m, c.k}, random_values(c.m * c.k, -1, 1)),
      b(c.dtype, {c.n, c.k}, random_values(c.n * c.k, -1, 1, 2)),
      saved(c.dtype, {c.m, c.n}, random_values(c.m * c.n, -1, 1, 3));
  const Array stamp = i32({4}, {5, -6, 7, 8});
  Array y(c.dtype, {c.m, c.n}), product(c.dtype, {c.m, c.n}), sums(c.dtype, {c.n});
  MatmulProblem problem;
  problem.dtype = c.dtype;
  problem.transpose_b = 1;
  problem.tensor_float32 = c.dtype == DType::kFloat32;
  problem.m = c.m;
  problem.n = c.n;
  problem.k = c.k;
  MatmulOperands operands;
  operands.a = a.view().data;
  operands.b = b.view().data;
  operands.y = product.view().data;
  Queue queue;
  ASSERT_TRUE(mma_matmul_takes(problem, c.tile));
  mma_matmul(queue, problem, operands, c.tile);

  problem.form = MatmulForm::kDerivative;
  problem.activation = c.activation;
  const Values parameters = parameters_of(c.activation);
  std::copy(parameters.begin(), parameters.end(), problem.parameters);
  problem.has_sums = c.sums;
  problem.has_dropout = c.dropout;
  operands.y = y.view().data;
  operands.saved = saved.view().data;
  if (c.sums) operands.sums = sums.view().data;
  if (c.dropout) {
    operands.stamp = stamp.view().data;
    operands.mask = {int32_t(kMask[0]), kMask[1], kMask[2], kMask[3]};
  }
  ASSERT_TRUE(mma_matmul_takes(problem, c.tile));
  mma_matmul(queue, problem, operands, c.tile);
  const std::string what = std::string(facts_of(c.activation).name) + ", dtype " + std::to_string(int(c.dtype)) +
                           ", [" + std::to_string(c.m) + ", " + std::to_string(c.n) + "]";
  const Array expected = passes(product, c.activation, saved, c.dropout ? &stamp : nullptr);
  EXPECT_EQ(y.bytes(), expected.bytes()) << what;
  if (c.sums) expect_sums(sums, y, what);
}

TEST(MatmulGradients, KernelHasTheDerivativeOfEveryActivation) {
  const int count = int(SN_BUILD::op_table().activations.size());
  ASSERT_GT(count, 10);
  for (int activation = 0; activation < count; ++activation) {
    expect_derivative({DType::kFloat32, 6, 16, 8, activation});
    expect_derivative({DType::kBfloat16, 5, 7, 8, activation});
  }
}

TEST(MatmulGradients, KernelAddsUpColumnsOverAllTiles) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    // Several tiles both ways, the last ones cut off; rows of whole packs and others.
    for (const int64_t n : {72, 131}) expect_derivative({dtype, 150, n, 8, kSelu});
    expect_derivative({dtype, 130, 136, 8, kElu, false, true, MmaTileSize::kLarge});
  }
  expect_derivative({DType::kFloat32, 9, 12, 8, kSoftplus, false, false});
  expect_derivative({DType::kFloat32, 70, 12, 8, -1});
}

TEST(MatmulGradients, KernelDrawsTheMaskOfDropoutAgain) {
  for (const int64_t n : {8, 7, 70}) {
    expect_derivative({DType::kFloat32, 9, n, 8, kSelu, true});
    expect_derivative({DType::kBfloat16, 9, n, 8, kSelu, true});
    expect_derivative({DType::kFloat32, 9, n, 8, -1, true});
  }
}

TEST(MatmulGradients, KernelAddsToWhatIsThere) {
  for (const DType dtype : {DType::kFloat32, DType::kBfloat16}) {
    for (const int64_t n : {8, 7}) {
      const int64_t m = 5, k = 4;
      // Integers: sums are exact.
      const Array a(dtype, {k, m}, Values(size_t(m * k), 2)), b(dtype, {k, n}, Values(size_t(n * k), 3));
      Array y(dtype, {m, n}, Values(size_t(m * n), 7));
      MatmulProblem problem;
      problem.dtype = dtype;
      problem.transpose_a = 1;
      problem.tensor_float32 = dtype == DType::kFloat32;
      problem.form = MatmulForm::kAdded;
      problem.m = m;
      problem.n = n;
      problem.k = k;
      MatmulOperands operands;
      operands.a = a.view().data;
      operands.b = b.view().data;
      operands.y = y.view().data;
      Queue queue;
      ASSERT_TRUE(mma_matmul_takes(problem, MmaTileSize::kSmall));
      mma_matmul(queue, problem, operands, MmaTileSize::kSmall);
      for (const double value : y.values()) EXPECT_EQ(value, 7 + 2 * 3 * 4);
    }
  }
}

TEST(MatmulGradients, KernelLeavesWhatItDoesNotHave) {
  MatmulProblem problem;
  problem.tensor_float32 = 1;
  problem.m = problem.n = problem.k = 4;
  problem.form = MatmulForm::kDerivative;
  EXPECT_FALSE(mma_matmul_takes(problem, MmaTileSize::kSmall));
  problem.transpose_b = 1;
  EXPECT_TRUE(mma_matmul_takes(problem, MmaTileSize::kSmall));
  problem.form = MatmulForm::kSumsRight;
  EXPECT_FALSE(mma_matmul_takes(problem, MmaTileSize::kSmall));
}

TEST(MatmulGradients, DerivativeOpIsTheProductAndItsPasses) {
  for (const DType dtype : {DType::kFloat32, DType::kBfloat16, DType::kFloat64}) {
    for (const int activation : {-1, kSelu, kSoftplus}) {
      for (const bool dropout : {false, true}) {
        const int64_t m = 9, n = 5, k = 6;
        const Array a(dtype, {m, k}, random_values(m * k, -1, 1)), b(dtype, {n, k}, random_values(n * k, -1, 1, 2)),
            saved(dtype, {m, n}, random_values(m * n, -1, 1, 3)), stamp = i32({4}, {5, -6, 7, 8});
        Array product(dtype, {m, n}), dz(dtype, {m, n}), sums(dtype, {n});
        run_op("matmul", 32, {&a, &b}, {&product}, {0, 1});
        Values params = {0, 1, double(activation)};
        if (activation >= 0) {
          const Values parameters = parameters_of(activation);
          params.insert(params.end(), parameters.begin(), parameters.end());
        }
        if (dropout) params.insert(params.end(), kMask.begin(), kMask.end());
        run_op("matmul/derivative", 32, {&a, &b, &saved, dropout ? &stamp : nullptr}, {&dz, &sums}, params);
        const Array expected = passes(product, activation, saved, dropout ? &stamp : nullptr);
        EXPECT_EQ(dz.bytes(), expected.bytes());
        expect_sums(sums, dz, "op");
      }
    }
  }
}

TEST(MatmulGradients, AddedAndSummedOps) {
  const int64_t m = 3, n = 4, k = 5;
  const Array a = f32({k, m}, random_values(k * m, -1, 1)), b = f32({k, n}, random_values(k * n, -1, 1, 2));
  Array product = f32({m, n}, Values(12, 0)), y = f32({m, n}, Values(12, 0.5)), summed = f32({m, n}, Values(12, 0)),
        sums = f32({n}, Values(4, 0));
  run_op("matmul", 32, {&a, &b}, {&product}, {1, 0});
  run_op("matmul/added", 32, {&a, &b}, {&y}, {1, 0});
  run_op("matmul/sums", 32, {&a, &b}, {&summed, &sums}, {1, 0});
  const Values before = product.values(), after = y.values();
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i], double(float(before[i]) + 0.5f));
  EXPECT_EQ(summed.bytes(), product.bytes());
  expect_sums(sums, b, "sums of b");
}

TEST(MatmulGradients, NothingToMultiply) {
  const Array a = f32({0, 3}, {}), b = f32({2, 3}, Values(6, 1)), saved = f32({0, 2}, {});
  Array dz = f32({0, 2}, {}), sums = f32({2}, {9, 9});
  run_op("matmul/derivative", 32, {&a, &b, &saved}, {&dz, &sums}, {0, 1, 1});
  EXPECT_EQ(sums.values(), Values({0, 0}));
}

}  // namespace
}  // namespace selfnorm::test
