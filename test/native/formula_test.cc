// Formulas as instructions: the interpreter in the emulator, block by block as the CPU backend runs it, and what is no
// formula.
#include "../../cpu/runtime/formula_kernel.h"
#include "op_harness.h"

namespace selfnorm::test {
namespace {

using namespace selfnorm::SN_BUILD;

double instruction(FormulaOp op, int result, int a, int b = 0, int c = 0) {
  return double(int(op)) + 256.0 * result + 65536.0 * a + 16777216.0 * b + 4294967296.0 * c;
}

// where(x > 0, x * scale, scale * alpha * expm1(x)): registers 1 and 2 are made, constants 0, scale, scale * alpha.
const Values kSelu{4,
                   3,
                   0,
                   1.05,
                   1.76,
                   instruction(FormulaOp::kLess, 1, 128, 0),
                   instruction(FormulaOp::kMultiply, 2, 0, 129),
                   instruction(FormulaOp::kExpm1, 3, 0),
                   instruction(FormulaOp::kMultiply, 3, 130, 3),
                   instruction(FormulaOp::kSelect, 1, 1, 2, 3)};

double selu(double x) { return x > 0 ? 1.05 * x : 1.76 * std::expm1(x); }

TEST(Formula, RunsInEveryDtypeAtEveryBlockSize) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kFloat64}) {
    for (const int64_t n : {0, 1, 33, 517}) {
      const Array x(dtype, {n}, random_values(n, -6, 6));
      Values expected = x.values();
      for (double& value : expected) value = selu(value);
      check_op("formula", {&x}, {{dtype, {n}, expected}}, kSelu, kElementwise);
    }
  }
}

TEST(Formula, TakesTwoInputsOrNone) {
  const Array a = f64({4}, {1, -2, 3, 0.5}), b = f64({4}, {2, 2, -1, 0});
  check_op("formula", {&a, &b}, {{DType::kFloat64, {4}, {3, 0, 2, 0.5}}}, {3, 0, instruction(FormulaOp::kAdd, 2, 0, 1)},
           kExact);
  check_op("formula", {}, {{DType::kFloat32, {3}, {7, 7, 7}}}, {1, 1, 7, instruction(FormulaOp::kMove, 0, 128)},
           kExact);
}

// The loops that the CPU backend runs, which the emulator's threads do element by element.
template <class T>
void check_blocks(DType dtype) {
  constexpr int kInputs = 2;
  // sigmoid(a) * b + a, on four registers of its own.
  const Values params{5, 0, instruction(FormulaOp::kSigmoid, 3, 0), instruction(FormulaOp::kMultiply, 4, 3, 1),
                      instruction(FormulaOp::kAdd, 2, 4, 0)};
  const FormulaCode code = read_formula(std::span<const double>(params), kInputs);
  for (const int64_t n : {1, 63, 64, 1023, 1024, 1025, 5000}) {
    const Array a(dtype, {n}, random_values(n, -3, 3)), b(dtype, {n}, random_values(n, -3, 3, 2));
    Array y(dtype, {n});
    const formula::Operands<T> operands{y.view().as<T>(), {a.view().as<const T>(), b.view().as<const T>()}};
    for (const bool streamed : {false, true}) {
      formula::run_range(code, operands, Range{0, n, 1}, streamed && n % 64 == 0);
      const Values x = a.values(), factor = b.values(), found = y.values();
      for (size_t i = 0; i < x.size(); ++i) {
        const double expected = factor[i] / (1 + std::exp(-x[i])) + x[i];
        const double unit = sizeof(T) == 2 ? 0.01 : sizeof(T) == 4 ? 1e-6 : 1e-14;
        ASSERT_TRUE(std::abs(found[i] - expected) <= unit * (1 + std::abs(expected))) << n << ", element " << i;
      }
    }
  }
}

TEST(Formula, RunsBlockByBlock) {
  check_blocks<float>(DType::kFloat32);
  check_blocks<double>(DType::kFloat64);
  check_blocks<half>(DType::kFloat16);
  check_blocks<bfloat16>(DType::kBfloat16);
}

TEST(Formula, MayWriteOverItsInput) {
  Array x = f32({600}, random_values(600, -3, 3));
  const Values before = x.values();
  run_op("formula", 32, {&x}, {&x}, kSelu);
  const Values after = x.values();
  for (size_t i = 0; i < before.size(); ++i) {
    ASSERT_TRUE(std::abs(after[i] - selu(before[i])) <= 1e-5) << i;
  }
}

TEST(Formula, RefusesWhatReachesOutsideItsRegisters) {
  const Array x = f32({3}, {1, 2, 3});
  Array y(DType::kFloat32, {3});
  const double add = instruction(FormulaOp::kAdd, 1, 0, 0);
  const std::vector<Values> refused{
      {},
      {2, 0},
      {65, 0, add},
      {0, 0, add},
      {2, 65, add},
      {2, -1, add},
      {2, 5, 1, add},
      {1, 0, add},                                           // its result
      {2, 0, instruction(FormulaOp::kAdd, 0, 0, 0)},         // over its input
      {3, 0, instruction(FormulaOp::kAdd, 1, 0, 2)},         // of what was never made
      {2, 0, instruction(FormulaOp::kAdd, 1, 0, 9)},         // of no register
      {2, 1, 4, instruction(FormulaOp::kAdd, 1, 0, 129)},    // of no constant
      {2, 1, 4, instruction(FormulaOp::kAdd, 1, 128, 128)},  // of constants alone
      {2, 0, double(kFormulaOps) + 256},
      {2, 0, -1},
      {2, 0, 1e300},
      {2, 0, std::nan("")},
      {std::nan(""), 0, add},
      {2, std::nan(""), add},
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    EXPECT_THROW(run_op("formula", 32, {&x}, {&y}, refused[i]), Error) << i;
  }
  EXPECT_THROW(run_op("formula", 32, {&x}, {&y}, Values(2 + 257, add)), Error);
  const Array longer = f32({4}, {1, 2, 3, 4});
  EXPECT_THROW(run_op("formula", 32, {&longer}, {&y}, {2, 0, add}), Error);
  run_op("formula", 32, {&x}, {&y}, {2, 0, add});
  EXPECT_EQ(y.values(), (Values{2, 4, 6}));
}

}  // namespace
}  // namespace selfnorm::test
