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

// Bags of three rows each, some outside the table, of widths that packs divide and others; the transpose adds a bag's
// update to all of its rows.
TEST(GatherSum, BagsOfEveryTypeAndTheirTranspose) {
  for (const int64_t inner : {1, 5, 8, 300}) {
    const int64_t rows = 6, bags = 9, picks = 3;
    const Values table = random_values(rows * inner, -1, 1), updates = random_values(bags * inner, -1, 1, 2);
    Values indices;
    for (int64_t i = 0; i < bags * picks; ++i) indices.push_back(double(i * 7 % rows));
    indices[4] = -1;
    indices[13] = double(rows);
    for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBfloat16, DType::kFloat16}) {
      const Array from(dtype, {rows, inner}, table), picked = i32({bags, picks}, indices);
      const Values stored = from.values();
      Values sums(size_t(bags * inner)), magnitudes(size_t(bags * inner));
      for (int64_t at = 0; at < bags * inner; ++at) {
        for (int64_t k = 0; k < picks; ++k) {
          const auto row = int64_t(indices[size_t(at / inner * picks + k)]);
          const bool outside = row < 0 || row >= rows;
          const double value = outside ? std::nan("") : stored[size_t(row * inner + at % inner)];
          sums[size_t(at)] += value;
          magnitudes[size_t(at)] += outside ? 0 : std::abs(value);
        }
      }
      check_op("gatherSum", {&from, &picked}, {{dtype, {bags, inner}, sums, magnitudes}}, {}, kReduction);
    }
    Values added(size_t(rows * inner)), sizes(size_t(rows * inner));
    for (int64_t k = 0; k < bags * picks; ++k) {
      const auto row = int64_t(indices[size_t(k)]);
      if (row < 0 || row >= rows) continue;
      for (int64_t i = 0; i < inner; ++i) {
        added[size_t(row * inner + i)] += updates[size_t(k / picks * inner + i)];
        sizes[size_t(row * inner + i)] += std::abs(updates[size_t(k / picks * inner + i)]);
      }
    }
    const Array each = f32({bags, inner}, updates), flat = i32({bags * picks}, indices);
    check_op("scatterAdd", {&each, &flat}, {{DType::kFloat32, {rows, inner}, added, sizes}}, {0, 0, double(picks)},
             kReduction);
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
