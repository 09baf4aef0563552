// The tensor-core product in the emulator: the layout of fragments, tiles and stages by integers whose sums are exact,
// every transpose and both ways to copy; and its epilogue against the ops that it stands for, bit for bit.
#include "../../cuda/engines/matmul_mma.h"

#include "../../cuda/kernels/tensor_core.h"
#include "op_harness.h"
#include "runtime/launch.h"

namespace selfnorm::test {
namespace {

using SN_BUILD::MmaTileSize;

constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBfloat16};
constexpr MmaTileSize kTiles[] = {MmaTileSize::kLarge, MmaTileSize::kSmall};

struct Product {
  DType dtype;
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  int64_t batch = 1;
  bool shared_b = false;  // one b for all batches
  int64_t shift = 0;      // elements that a and b are moved off the 16-byte grid

  int64_t size_a() const { return batch * m * k; }
  int64_t size_b() const { return (shared_b ? 1 : batch) * k * n; }
  MatmulProblem problem() const {
    MatmulProblem p;
    p.dtype = dtype;
    p.transpose_a = transpose_a;
    p.transpose_b = transpose_b;
    p.tensor_float32 = dtype == DType::kFloat32;
    p.batch = batch;
    p.m = m;
    p.n = n;
    p.k = k;
    p.stride_a = m * k;
    p.stride_b = shared_b ? 0 : k * n;
    return p;
  }
  std::string name() const {
    return "dtype " + std::to_string(int(dtype)) + ", " + std::to_string(batch) + " x [" + std::to_string(m) + ", " +
           std::to_string(n) + ", " + std::to_string(k) + "], transposes " + std::to_string(transpose_a) +
           std::to_string(transpose_b) + ", shift " + std::to_string(shift);
  }
};

// An operand `shift` elements behind the beginning of its memory.
struct Operand {
  Array array;
  int64_t shift;

  Operand(DType dtype, int64_t shift, const Values& values) : array(make(dtype, shift, values)), shift(shift) {}
  static Array make(DType dtype, int64_t shift, Values values) {
    values.insert(values.begin(), size_t(shift), std::nan(""));
    const auto size = int64_t(values.size());
    return {dtype, {size}, values};
  }
  const void* data() const { return array.view().as<char>() + shift * size_of(array.view().dtype); }
  Values values() const {
    const Values all = array.values();
    return {all.begin() + shift, all.end()};
  }
};

Values integers(int64_t n, int most, uint32_t seed) {
  Values values = random_values(n, -most - 0.49, most + 0.49, seed);
  for (double& value : values) value = std::round(value) + 0.0;
  return values;
}

Values reference(const Product& p, const Values& a, const Values& b) {
  Values y;
  for (int64_t g = 0; g < p.batch; ++g) {
    const double *const x = a.data() + g * p.m * p.k, *const w = b.data() + (p.shared_b ? 0 : g * p.k * p.n);
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = 0;
        for (int64_t d = 0; d < p.k; ++d) {
          sum += x[p.transpose_a ? d * p.m + i : i * p.k + d] * w[p.transpose_b ? j * p.k + d : d * p.n + j];
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

void run(const MatmulProblem& problem, const MatmulOperands& operands, MmaTileSize tile) {
  Queue queue;
  ASSERT_TRUE(mma_matmul_takes(problem, tile));
  mma_matmul(queue, problem, operands, tile);
}

void expect_exact_product(const Product& p, MmaTileSize tile) {
  const Operand a(p.dtype, p.shift, integers(p.size_a(), 2, 1)), b(p.dtype, p.shift, integers(p.size_b(), 2, 2));
  Array y(p.dtype, {p.batch, p.m, p.n});
  MatmulOperands operands;
  operands.a = a.data();
  operands.b = b.data();
  operands.y = y.view().data;
  run(p.problem(), operands, tile);
  const Values expected = reference(p, a.values(), b.values()), actual = y.values();
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(actual[i], expected[i]) << p.name() << ", tile " << int(tile) << ", element " << i;
  }
}

TEST(MatmulMma, EveryTypeTransposeAndTileIsExactOnIntegers) {
  for (const MmaTileSize tile : kTiles) {
    for (const DType dtype : kTypes) {
      for (const bool transpose_a : {false, true}) {
        for (const bool transpose_b : {false, true}) {
          // Whole tiles in some directions, none in others; rows of 16 bytes, and rows off that grid.
          const bool large = tile == MmaTileSize::kLarge;
          const std::array<int64_t, 3> whole = {large ? 128 : 64, large ? 136 : 72, 24};
          for (const auto& [m, n, k] : {std::array<int64_t, 3>{1, 1, 1}, {7, 13, 17}, whole}) {
            expect_exact_product({dtype, m, n, k, transpose_a, transpose_b}, tile);
          }
        }
      }
    }
  }
}

TEST(MatmulMma, RingOfStagesGoesRound) {
  for (const DType dtype : kTypes) {
    // Steps of 64 bytes of depth: fewer than the ring has stages, as many, and many more with a rest.
    const int64_t depth = 64 / size_of(dtype);
    for (const int64_t k : {2 * depth, 4 * depth, 6 * depth + 3}) {
      for (const bool transposed : {false, true}) {
        expect_exact_product({dtype, 32, 24, k, transposed, !transposed}, MmaTileSize::kSmall);
      }
    }
  }
}

TEST(MatmulMma, OperandsMayLieAnywhere) {
  for (const DType dtype : kTypes) {
    for (const bool transposed : {false, true}) {
      expect_exact_product({dtype, 16, 24, 32, transposed, transposed, 1, false, 1}, MmaTileSize::kSmall);
    }
  }
}

TEST(MatmulMma, BatchesAndASharedOperand) {
  for (const DType dtype : kTypes) {
    for (const bool shared : {false, true}) {
      expect_exact_product({dtype, 9, 16, 24, false, false, 3, shared}, MmaTileSize::kSmall);
      expect_exact_product({dtype, 70, 5, 8, true, true, 2, shared}, MmaTileSize::kLarge);
    }
  }
}

TEST(MatmulMma, GroupsOfTilesCoverTheResult) {
  // More than eight tiles down, whose last group is not full, and two to the right.
  expect_exact_product({DType::kBfloat16, 64 * 10 - 3, 70, 8}, MmaTileSize::kSmall);
}

// To 10 bits of mantissa, halves away from zero.
double rounded_to_tf32(double value) {
  uint32_t bits = SN_BUILD::bit_copy<uint32_t>(float(value)) + 0x1000u;
  return SN_BUILD::bit_copy<float>(bits & ~0x1fffu);
}

TEST(MatmulMma, Float32IsRoundedToTf32ToNearest) {
  const Product p{DType::kFloat32, 17, 9, 40};
  const Operand a(p.dtype, 0, random_values(p.size_a(), -2, 2)), b(p.dtype, 0, random_values(p.size_b(), -2, 2, 2));
  for (const bool transposed : {false, true}) {
    Product q = p;
    q.transpose_a = q.transpose_b = transposed;
    Array y(p.dtype, {p.m, p.n});
    MatmulOperands operands;
    operands.a = a.data();
    operands.b = b.data();
    operands.y = y.view().data;
    run(q.problem(), operands, MmaTileSize::kSmall);
    Values x = a.values(), w = b.values();
    for (double& value : x) value = rounded_to_tf32(value);
    for (double& value : w) value = rounded_to_tf32(value);
    const Values expected = reference(q, x, w), actual = y.values();
    // Sums of 40 terms of at most 4 in float32; cutting the bits off would be wrong by about 1e-2.
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(std::abs(actual[i] - expected[i]) <= 40 * 4 * std::ldexp(1.0, -22)) << "element " << i;
    }
  }
}

TEST(MatmulMma, NanAndInfinityReachTheirRowsAndColumnsOnly) {
  for (const DType dtype : kTypes) {
    const Product p{dtype, 5, 6, 7};
    Values x = integers(p.size_a(), 2, 1), w(size_t(p.size_b()), 1);
    x[2 * 7 + 3] = std::nan("");
    x[4 * 7 + 6] = std::numeric_limits<double>::infinity();
    const Operand a(dtype, 0, x), b(dtype, 0, w);
    Array y(dtype, {p.m, p.n});
    MatmulOperands operands;
    operands.a = a.data();
    operands.b = b.data();
    operands.y = y.view().data;
    run(p.problem(), operands, MmaTileSize::kSmall);
    const Values actual = y.values();
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        const double value = actual[size_t(i * p.n + j)];
        EXPECT_EQ(std::isnan(value), i == 2);
        EXPECT_EQ(std::isinf(value), i == 4);
      }
    }
  }
}

// The results of a product with an epilogue, and of the passes that it stands for, made of a product without one.
struct Epilogue {
  int activation = -1;
  bool bias = true;
  Keeps keeps = Keeps::kNothing;
  bool dropout = false;
};

const Values kMask = {20000, 0.9, 0.2, -1.5};

void expect_epilogue(const Product& p, const Epilogue& epilogue) {
  const auto& table = SN_BUILD::op_table();
  const ActivationFacts& facts = table.activations[size_t(std::max(epilogue.activation, 0))];
  Values parameters;
  for (int i = 0; i < facts.parameter_count; ++i) parameters.push_back(facts.parameters[i].fallback + 0.25);
  const Operand a(p.dtype, 0, random_values(p.size_a(), -1, 1)), b(p.dtype, 0, random_values(p.size_b(), -1, 1, 2));
  const Array bias(p.dtype, {p.n}, random_values(p.n, -1, 1, 3)), stamp = i32({4}, {5, -6, 7, 8});
  const Array zero(p.dtype, {p.n}, Values(size_t(p.n), 0.0));
  Array y(p.dtype, {p.batch, p.m, p.n}), kept(p.dtype, {p.batch, p.m, p.n});

  MatmulProblem problem = p.problem();
  MatmulOperands operands;
  operands.a = a.data();
  operands.b = b.data();
  operands.y = y.view().data;
  problem.has_bias = epilogue.bias;
  if (epilogue.bias) operands.bias = bias.view().data;
  problem.activation = epilogue.activation;
  std::copy(parameters.begin(), parameters.end(), problem.parameters);
  problem.keeps = epilogue.keeps;
  if (epilogue.keeps != Keeps::kNothing) operands.kept = kept.view().data;
  problem.has_dropout = epilogue.dropout;
  if (epilogue.dropout) {
    operands.stamp = stamp.view().data;
    operands.mask = {int32_t(kMask[0]), kMask[1], kMask[2], kMask[3]};
  }
  run(problem, operands, MmaTileSize::kSmall);

  // A product of half types is not stored before bias and activation, so the passes are held to float32 alone; what is
  // kept is exact in every type.
  Array sum(p.dtype, {p.batch, p.m, p.n}), active(p.dtype, {p.batch, p.m, p.n}), end(p.dtype, {p.batch, p.m, p.n});
  const std::string name = table.activations[size_t(std::max(epilogue.activation, 0))].name;
  const std::string what = p.name() + ", " + name + ", keeps " + std::to_string(int(epilogue.keeps));
  if (epilogue.keeps == Keeps::kPreActivation) {
    run_op(name + "/forward", 32, {&kept}, {&active}, parameters);
  } else if (epilogue.keeps == Keeps::kActivated) {
    active = kept.copy();
  } else {
    ASSERT_EQ(p.dtype, DType::kFloat32) << what;
  }
  if (p.dtype == DType::kFloat32) {
    MatmulProblem plain = p.problem();
    MatmulOperands to = operands;
    to.bias = to.kept = nullptr;
    to.stamp = nullptr;
    to.y = end.view().data;
    run(plain, to, MmaTileSize::kSmall);
    run_op(name + "/bias_forward", 32, {&end, epilogue.bias ? &bias : &zero}, {&active, &sum}, parameters);
    if (epilogue.keeps == Keeps::kPreActivation) {
      EXPECT_EQ(kept.bytes(), sum.bytes()) << what;
    }
    if (epilogue.keeps == Keeps::kActivated) {
      EXPECT_EQ(kept.bytes(), active.bytes()) << what;
    }
  }
  if (epilogue.dropout) {
    run_op("dropout", 32, {&active, &stamp}, {&end}, kMask);
  } else {
    end = active.copy();
  }
  EXPECT_EQ(y.bytes(), end.bytes()) << what;
}

TEST(MatmulMma, EveryActivationIsTheOneOfItsOwnPass) {
  const int count = int(SN_BUILD::op_table().activations.size());
  ASSERT_GT(count, 10);
  for (int activation = 0; activation < count; ++activation) {
    expect_epilogue({DType::kFloat32, 6, 16, 8}, {activation});
    expect_epilogue({DType::kFloat32, 3, 7, 5}, {activation, true, Keeps::kPreActivation});
    expect_epilogue({DType::kBfloat16, 3, 8, 8}, {activation, true, Keeps::kPreActivation});
  }
}

TEST(MatmulMma, DropoutHasTheMaskOfItsOwnPass) {
  const int selu = 5;
  ASSERT_STREQ(SN_BUILD::op_table().activations[selu].name, "selu");
  // Rows of whole packs, and rows that begin anywhere in a draw's group of eight; two batches.
  for (const int64_t n : {8, 4, 7, 70}) {
    for (const DType dtype : kTypes) {
      expect_epilogue({dtype, 9, n, 8, false, false, 2}, {selu, true, Keeps::kActivated, true});
      expect_epilogue({dtype, 5, n, 8}, {selu, true, Keeps::kPreActivation, true});
    }
    expect_epilogue({DType::kFloat32, 5, n, 8}, {-1, false, Keeps::kNothing, true});
  }
}

TEST(MatmulMma, TakesTensorCoreTypesOnly) {
  MatmulProblem problem = Product{DType::kFloat32, 4, 4, 4}.problem();
  EXPECT_TRUE(mma_matmul_takes(problem, MmaTileSize::kLarge));
  problem.tensor_float32 = 0;
  EXPECT_FALSE(mma_matmul_takes(problem, MmaTileSize::kLarge));
  for (const DType dtype : {DType::kFloat64, DType::kInt32}) {
    problem.dtype = dtype;
    EXPECT_FALSE(mma_matmul_takes(problem, MmaTileSize::kSmall));
  }
}

}  // namespace
}  // namespace selfnorm::test
