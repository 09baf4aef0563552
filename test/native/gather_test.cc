// gather, with and without scaling, scatterAdd and oneHot in the emulator: batches, repeated indices, indices outside
// the axis, empty sizes.
#include "op_harness.h"

namespace selfnorm::test {
namespace {

const double kNan = std::nan("");

TEST(Gather, RowsColumnsAndBatches) {
  const Array x = f32({3, 2}, {1, 2, 3, 4, 5, 6});
  const Array rows = i32({4}, {2, 0, 2, 1});
  check_op("gather", {&x, &rows}, {{DType::kFloat32, {4, 2}, {5, 6, 1, 2, 5, 6, 3, 4}}}, {0, 0}, kExact);
  const Array columns = i32({1, 3}, {1, 1, 0});
  check_op("gather", {&x, &columns}, {{DType::kFloat32, {3, 1, 3}, {2, 2, 1, 4, 4, 3, 6, 6, 5}}}, {1, 0}, kExact);
  const Array batched = i32({3, 2}, {0, 1, 1, 1, 0, 0});
  check_op("gather", {&x, &batched}, {{DType::kFloat32, {3, 2}, {1, 2, 4, 4, 5, 5}}}, {1, 1}, kExact);
  const Array scalar = i32({}, {1});
  check_op("gather", {&x, &scalar}, {{DType::kFloat32, {2}, {3, 4}}}, {0, 0}, kExact);
}

TEST(Gather, AnIndexOutsideTheAxisReadsNanOrZero) {
  const Array picks = i32({3}, {-1, 1, 2});
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
    const Array x(dtype, {2, 1}, {1, 2});
    check_op("gather", {&x, &picks}, {{dtype, {3, 1}, {kNan, 2, kNan}}}, {0, 0}, kExact);
  }
  for (const DType dtype : {DType::kInt32, DType::kUint8, DType::kBool}) {
    const Array x(dtype, {2, 1}, {1, 1});
    check_op("gather", {&x, &picks}, {{dtype, {3, 1}, {0, 1, 0}}}, {0, 0}, kExact);
  }
}

// The nearest number to scale x + offset, in rows of whole packs, in odd ones and in none; the same as rescale gives
// behind a gather.
TEST(GatherRescaled, PicksScalesAndRoundsOnce) {
  for (const int64_t inner : {1, 4, 7, 16, 24, 0}) {
    for (const DType from : {DType::kUint8, DType::kBool, DType::kInt32, DType::kFloat32}) {
      Values x = random_values(5 * inner, 0, from == DType::kBool ? 1.99 : 255, uint32_t(inner) + 1);
      if (from != DType::kFloat32) {
        for (double& value : x) value = std::floor(value);
      }
      const Array rows(from, {5, inner}, x);
      const Values stored = rows.values(), picks{4, 0, -1, 2, 4, 5};
      const Array indices = i32({2, 3}, picks);
      const double scale = 1.0 / 255, offset = from == DType::kInt32 ? -0.5 : 0;
      Values expected(picks.size() * size_t(inner), kNan);
      for (size_t k = 0; k < picks.size(); ++k) {
        if (picks[k] < 0 || picks[k] >= 5) continue;
        for (size_t i = 0; i < size_t(inner); ++i) {
          expected[k * size_t(inner) + i] = stored[size_t(picks[k]) * size_t(inner) + i] * scale + offset;
        }
      }
      for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBfloat16}) {
        const Values rounded = Array(to, {6 * inner}, expected).values();
        check_op("gatherRescaled", {&rows, &indices}, {{to, {2, 3, inner}, rounded}}, {scale, offset}, kExact);
      }
    }
  }
  const Array none(DType::kUint8, {0, 4}, {}), first = i32({1}, {0});
  check_op("gatherRescaled", {&none, &first}, {{DType::kFloat32, {1, 4}, Values(4, kNan)}}, {1, 0}, kExact);
}

TEST(Rescale, OfEachByteIsTheQuotientRoundedOnce) {
  Values bytes(256), quotients(256);
  for (size_t i = 0; i < 256; ++i) bytes[i] = double(i), quotients[i] = float(i) / 255.0F;
  const Array x(DType::kUint8, {256}, bytes);
  check_op("rescale", {&x}, {{DType::kFloat32, {256}, quotients}}, {1.0 / 255, 0}, kExact);
}

TEST(ScatterAdd, IsTheTransposeOfGather) {
  struct Case {
    int64_t batch, outer, length, inner, picks;
  };
  // Lengths beyond a block's rows, picks beyond its indices, nothing to add, nothing to add to.
  for (const Case c : {Case{1, 1, 3, 2, 4},
                       {2, 2, 5, 1, 3},
                       {1, 1, 130, 3, 300},
                       {1, 2, 3, 40, 5},
                       {1, 1, 4, 2, 0},
                       {1, 1, 0, 2, 0}}) {
    Values indices = random_values(c.batch * c.picks, -1, double(c.length + 1), 3);
    for (double& index : indices) index = std::floor(index);
    const Values updates = random_values(c.batch * c.outer * c.picks * c.inner, -1, 1);
    Values expected(size_t(c.batch * c.outer * c.length * c.inner));
    for (int64_t plane = 0; plane < c.batch * c.outer; ++plane) {
      for (int64_t k = 0; k < c.picks; ++k) {
        const auto index = int64_t(indices[size_t(plane / c.outer * c.picks + k)]);
        if (index < 0 || index >= c.length) continue;
        for (int64_t i = 0; i < c.inner; ++i) {
          expected[size_t((plane * c.length + index) * c.inner + i)] +=
              updates[size_t((plane * c.picks + k) * c.inner + i)];
        }
      }
    }
    const Shape whole{c.batch, c.outer, c.length, c.inner}, parts{c.batch, c.outer, c.picks, c.inner};
    const Array picks = i32({c.batch, c.picks}, indices);
    const Array wide = f64(parts, updates), narrow = f32(parts, updates);
    check_op("scatterAdd", {&wide, &picks}, {{DType::kFloat64, whole, expected}}, {2, 1}, kReduction);
    check_op("scatterAdd", {&narrow, &picks}, {{DType::kFloat32, whole, expected}}, {2, 1}, kReduction);
  }
}

TEST(OneHot, EveryDtypeAndIndicesOutside) {
  const Array picks = i32({2, 2}, {0, 2, -1, 3});
  const Values expected{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kInt32, DType::kUint8, DType::kBool}) {
    check_op("oneHot", {&picks}, {{dtype, {2, 2, 3}, expected}}, {1, 0}, kExact);
  }
  const Array one = i32({1}, {1});
  check_op("oneHot", {&one}, {{DType::kFloat32, {1, 2}, {-0.5, 2}}}, {2, -0.5}, kExact);
}

}  // namespace
}  // namespace selfnorm::test
