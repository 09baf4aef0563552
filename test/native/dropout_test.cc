// The generator against its published answers, and dropout in the emulator against a loop in double over its own mask.
#include "../../cuda/kernels/philox.h"
#include "op_harness.h"

namespace selfnorm::test {
namespace {

using SN_BUILD::philox;
using SN_BUILD::RandomStamp;

const double kNan = std::nan("");
constexpr double kScale = 1.0507009873554804934, kAlpha = 1.6732632423543772848;

// "Random123: a library of counter-based random number generators", kat_vectors.
TEST(Philox, GivesTheKnownAnswers) {
  const struct {
    uint32_t counter[4], key[2], answer[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& one : cases) {
    const RandomStamp stamp{one.key[0], one.key[1], one.counter[2], one.counter[3]};
    const auto words = philox(stamp, uint64_t(one.counter[1]) << 32 | one.counter[0]);
    for (int w = 0; w < 4; ++w) EXPECT_EQ(words.word[w], one.answer[w]);
  }
}

RandomStamp stamp_of(const Array& stamp) {
  RandomStamp value;
  std::memcpy(&value, stamp.bytes().data(), sizeof(value));
  return value;
}

bool keeps(const RandomStamp& stamp, int64_t element, double threshold) {
  const uint32_t word = philox(stamp, uint64_t(element / 8)).word[element % 8 / 2];
  return double(element % 2 == 0 ? word & 0xffffu : word >> 16) >= threshold;
}

TEST(Random, StateCountsOnAndCarriesAtEveryBlockSize) {
  for (const int block : kBlockSizes) {
    Array state(DType::kInt32, {4}), first(DType::kInt32, {4}), second(DType::kInt32, {4});
    run_op("rng_stamp", block, {}, {&state}, {7, 4294967295.0, 4294967295.0, 3});
    run_op("rng_next", block, {}, {&state, &first});
    run_op("rng_next", block, {}, {&state, &second});
    EXPECT_EQ(stamp_of(first).seed_high, ~0u);
    EXPECT_EQ(stamp_of(first).offset_low, ~0u);
    EXPECT_EQ(stamp_of(first).offset_high, 3u);
    EXPECT_EQ(stamp_of(second).offset_low, 0u);
    EXPECT_EQ(stamp_of(second).offset_high, 4u);
    EXPECT_EQ(stamp_of(state).offset_low, 1u);
    EXPECT_EQ(stamp_of(state).seed_low, 7u);
  }
}

TEST(Dropout, DrawsTheSameMaskAtEveryBlockSize) {
  const Array stamp = i32({4}, {12345, -6, 7, 0});
  const double threshold = 20000, a = 1.25, b = -0.5, dropped = -2;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
    for (const int64_t n : {0, 1, 7, 8, 9, 517}) {
      const Array x(dtype, {n}, random_values(n, -3, 3));
      Values expected = x.values();
      for (int64_t i = 0; i < n; ++i) {
        double& value = expected[size_t(i)];
        value = keeps(stamp_of(stamp), i, threshold) ? a * value + b : dropped;
      }
      check_op("dropout", {&x, &stamp}, {{dtype, {n}, expected}}, {threshold, a, b, dropped}, kElementwise);
    }
  }
}

// The number is also in test/ops/dropout.test.ts: the CPU backend's mask of this seed is the emulator's.
TEST(Dropout, DrawsTheMaskOfTheCpuBackend) {
  Array stamp = i32({4}, {0, 0, 0, 0});
  constexpr double kSeed = 1234567890123, kWord = 4294967296;
  for (const int block : kBlockSizes) {
    run_op("rng_stamp", block, {}, {&stamp}, {std::fmod(kSeed, kWord), std::floor(kSeed / kWord), 0, 0});
    const Array ones = f32({4099}, Values(4099, 1.0));
    Array y(DType::kFloat32, {4099});
    run_op("dropout", block, {&ones, &stamp}, {&y}, {20000, 1, 0, 0});
    uint32_t hash = 0x811c9dc5;
    for (const double value : y.values()) hash = (hash ^ uint32_t(value != 0)) * 0x01000193u;
    EXPECT_EQ(hash, 51552424u) << "at block size " << block;
  }
}

TEST(Dropout, KeepsNanWhereItKeeps) {
  const Array stamp = i32({4}, {1, 0, 0, 0});
  const Array x = f32({33}, Values(33, kNan));
  Values expected;
  for (int64_t i = 0; i < 33; ++i) expected.push_back(keeps(stamp_of(stamp), i, 32768) ? kNan : -1);
  check_op("dropout", {&x, &stamp}, {{DType::kFloat32, {33}, expected}}, {32768, 2, 0, -1}, kExact);
}

TEST(Dropout, SeluFusedForwardAndBackward) {
  const Array stamp = i32({4}, {99, 1, 2, 3});
  const double threshold = 6554, a = 0.9, b = 0.2, dropped = a * -kScale * kAlpha + b;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}) {
    for (const int64_t n : {0, 1, 8, 15, 517}) {
      const Array x(dtype, {n}, random_values(n, -4, 4)), dy(dtype, {n}, random_values(n, -1, 1, 2));
      Values forward = x.values(), backward = dy.values();
      for (int64_t i = 0; i < n; ++i) {
        const double value = forward[size_t(i)];
        const bool keep = keeps(stamp_of(stamp), i, threshold);
        const double selu = value > 0 ? kScale * value : kScale * kAlpha * std::expm1(value);
        const double slope = value > 0 ? kScale : kScale * kAlpha * std::exp(value);
        forward[size_t(i)] = keep ? a * selu + b : dropped;
        backward[size_t(i)] *= keep ? a * slope : 0;
      }
      check_op("selu_alpha_dropout/forward", {&x, &stamp}, {{dtype, {n}, forward}},
               {threshold, a, b, dropped, kAlpha, kScale}, kElementwise);
      check_op("selu_alpha_dropout/backward", {&dy, &x, &stamp}, {{dtype, {n}, backward}},
               {threshold, a, 0, 0, kAlpha, kScale}, kElementwise);
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
