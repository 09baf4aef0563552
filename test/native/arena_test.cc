// Where a Program's tensors lie: never two at one place at one time, and little more memory than is alive at once.
#include "../../binding/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace selfnorm {
namespace {

constexpr size_t kAlignment = 64;

void expect_sound(const std::vector<Lifetime>& pieces, const ArenaPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % kAlignment, 0u);
    EXPECT_LE(plan.offsets[i] + pieces[i].bytes, plan.bytes);
    for (size_t k = 0; k < i; ++k) {
      const bool meet = pieces[i].first <= pieces[k].last && pieces[k].first <= pieces[i].last;
      const bool apart =
          plan.offsets[i] + pieces[i].bytes <= plan.offsets[k] || plan.offsets[k] + pieces[k].bytes <= plan.offsets[i];
      EXPECT_TRUE(!meet || apart) << i << " and " << k;
    }
  }
}

TEST(Arena, PiecesThatDoNotMeetShareAPlace) {
  const std::vector<Lifetime> pieces = {{640, 0, 1}, {640, 2, 3}, {640, 1, 2}};
  const ArenaPlan plan = plan_arena(pieces, kAlignment);
  expect_sound(pieces, plan);
  EXPECT_EQ(plan.offsets[0], plan.offsets[1]);
  EXPECT_EQ(plan.bytes, 1280u);
  EXPECT_EQ(plan.live, 1280u);
}

TEST(Arena, NothingNeedsNothing) {
  const ArenaPlan plan = plan_arena({}, kAlignment);
  EXPECT_EQ(plan.bytes, 0u);
  EXPECT_EQ(plan.live, 0u);
}

TEST(Arena, EmptyPiecesAndThoseOfOneStep) {
  const std::vector<Lifetime> pieces = {{0, 0, 5}, {100, 3, 3}, {1, 3, 3}, {0, 2, 2}};
  const ArenaPlan plan = plan_arena(pieces, kAlignment);
  expect_sound(pieces, plan);
  EXPECT_EQ(plan.live, 101u);
}

// A training step: activations live from forward to their turn in backward, gradients from one layer to the next.
TEST(Arena, ATrainingStepTakesLittleMoreThanItsPeak) {
  std::mt19937 random(1);
  for (int depth : {2, 5, 16, 50}) {
    std::vector<Lifetime> pieces;
    const size_t steps = 4 * size_t(depth);
    for (size_t layer = 0; layer < size_t(depth); ++layer) {
      const size_t bytes = 4096 * (1 + random() % 64);
      pieces.push_back({bytes, 2 * layer, steps - 2 * layer});
      pieces.push_back({bytes, 2 * layer + 1, 2 * layer + 2});
      pieces.push_back({bytes, steps - 2 * layer, steps - 2 * layer + 2});
    }
    const ArenaPlan plan = plan_arena(pieces, kAlignment);
    expect_sound(pieces, plan);
    EXPECT_LE(double(plan.bytes), 1.15 * double(plan.live)) << depth;
  }
}

TEST(Arena, AnyLifetimes) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> pieces(random() % 60);
    for (Lifetime& piece : pieces) {
      const size_t first = random() % 40;
      piece = {random() % 5000, first, first + random() % 20};
    }
    const ArenaPlan plan = plan_arena(pieces, kAlignment);
    expect_sound(pieces, plan);
    EXPECT_GE(plan.bytes, plan.live);
  }
}

}  // namespace
}  // namespace selfnorm
