// The emulator itself: right kernels give right results, and what CUDA leaves undefined is reported on the launching
// thread with kernel, block and warp. The bugs that only a sanitizer sees are in emulator_sanitizer_test.cc.
#include "emulator/thread_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <initializer_list>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace selfnorm::emulator {
namespace {

constexpr unsigned kAllLanes = ~0u;

class EmulatorTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void TearDown() override {
    set_order(Order::kForward);
    set_watchdog(kDefaultWatchdog);
  }
};
using EmulatorDeathTest = EmulatorTest;

/** The message of the EmulatorError that `launch_it` must throw. */
template <class Launch>
std::string error_of(Launch&& launch_it) {
  try {
    launch_it();
  } catch (const EmulatorError& error) {
    return error.what();
  }
  return "no EmulatorError";
}

void expect_says(const std::string& error, std::initializer_list<std::string> parts) {
  for (const std::string& part : parts)
    EXPECT_NE(error.find(part), std::string::npos) << "no '" << part << "' in: " << error;
}

unsigned lanes_of_this_warp() {
  const unsigned left = block_size().x - thread_index().x / 32 * 32;
  return left >= 32 ? kAllLanes : (1u << left) - 1u;
}

void block_sum_kernel(const std::vector<int>& input, std::vector<int>& output) {
  static SharedArray<int, 32> partials;
  const unsigned thread = thread_index().x;
  const unsigned first = block_index().x * block_size().x;
  const unsigned mask = lanes_of_this_warp();
  int sum = input[first + thread];
  for (unsigned offset = 16; offset > 0; offset /= 2) {
    const int other = shuffle_down(mask, sum, offset);
    if (thread % 32 + offset < 32 && (mask >> (thread % 32 + offset) & 1u) != 0) sum += other;
  }
  if (thread % 32 == 0) partials[thread / 32] = sum;
  sync_threads();
  if (thread == 0) {
    for (unsigned warp = 1; warp < (block_size().x + 31) / 32; ++warp) sum += partials[warp];
    output[block_index().x] = sum;
  }
}

TEST_F(EmulatorTest, BlockReductionIsRightForEveryBlockSizeAndOrder) {
  constexpr unsigned kBlocks = 5;
  for (const Order order : {Order::kForward, Order::kReverse, Order::kShuffled}) {
    set_order(order, 7);
    for (const unsigned block : {1u, 31u, 32u, 33u, 96u, 128u, 256u}) {
      std::vector<int> input(kBlocks * block);
      for (unsigned i = 0; i < input.size(); ++i) input[i] = static_cast<int>(i * i % 1009);
      std::vector<int> expected(kBlocks, 0);
      for (unsigned i = 0; i < input.size(); ++i) expected[i / block] += input[i];
      std::vector<int> output(kBlocks, -1);
      launch("block_sum_kernel", kBlocks, block, [&] { block_sum_kernel(input, output); });
      EXPECT_EQ(output, expected) << "block " << block << ", order " << static_cast<int>(order);
    }
  }
}

TEST_F(EmulatorTest, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<int> runs(3 * 65, 0);
  launch("index_kernel", 3, 65, [&] {
    ASSERT_EQ(block_size().x, 65u);
    ASSERT_EQ(grid_size().x, 3u);
    ASSERT_EQ(grid_size().y * block_size().y, 1u);
    ASSERT_EQ(thread_index().y + thread_index().z + block_index().y + block_index().z, 0u);
    ++runs[block_index().x * 65 + thread_index().x];
  });
  EXPECT_EQ(runs, std::vector<int>(3 * 65, 1));
}

TEST_F(EmulatorTest, BlockOrderIsAsSet) {
  const auto order_of = [](unsigned blocks) {
    std::vector<unsigned> order;
    launch("order_kernel", blocks, 33, [&] {
      if (thread_index().x == 32) order.push_back(block_index().x);
    });
    return order;
  };
  EXPECT_EQ(order_of(4), (std::vector<unsigned>{0, 1, 2, 3}));
  set_order(Order::kReverse);
  EXPECT_EQ(order_of(4), (std::vector<unsigned>{3, 2, 1, 0}));
  set_order(Order::kShuffled, 1);
  const std::vector<unsigned> shuffled = order_of(50);
  EXPECT_EQ(std::set<unsigned>(shuffled.begin(), shuffled.end()).size(), 50u);
  EXPECT_FALSE(std::is_sorted(shuffled.begin(), shuffled.end()));
  EXPECT_EQ(order_of(50), shuffled);
  set_order(Order::kShuffled, 2);
  EXPECT_NE(order_of(50), shuffled);
  EXPECT_TRUE(order_of(0).empty());
}

TEST_F(EmulatorTest, ThreadsStartInTheOrderThatIsSet) {
  for (const auto& [order, first] : {std::pair(Order::kForward, 0u), std::pair(Order::kReverse, 39u)}) {
    set_order(order);
    std::vector<unsigned> started(40);
    std::atomic<unsigned> count{0};
    launch("thread_order_kernel", 1, 40,
           [&] { started[count.fetch_add(1, std::memory_order_relaxed)] = thread_index().x; });
    EXPECT_EQ(started.front(), first);
    EXPECT_EQ(started.back(), 39u - first);
  }
}

TEST_F(EmulatorTest, WarpOperationsGiveWhatCudaGives) {
  struct Pair {
    double value;
    std::int64_t lane;
  };
  launch("warp_kernel", 1, 96, [] {
    const unsigned lane = thread_index().x % 32;
    const unsigned warp = thread_index().x / 32;
    ASSERT_EQ(shuffle_down(kAllLanes, lane, 3u), lane + 3 < 32 ? lane + 3 : lane);
    ASSERT_EQ(shuffle_down(kAllLanes, lane, ~0u), lane);
    ASSERT_EQ(shuffle_xor(kAllLanes, lane, 5u), lane ^ 5u);
    ASSERT_EQ(shuffle(kAllLanes, thread_index().x, 37u), warp * 32 + 5);
    ASSERT_EQ(shuffle(kAllLanes, static_cast<std::uint8_t>(lane), 31u - lane), 31u - lane);
    const Pair pair = shuffle_xor(kAllLanes, Pair{lane + 0.5, lane}, 1u);
    ASSERT_EQ(pair.value, (lane ^ 1u) + 0.5);
    ASSERT_EQ(pair.lane, lane ^ 1u);
    ASSERT_EQ(ballot(kAllLanes, lane % 3 == 0), 0x49249249u);
    sync_warp();
  });
}

TEST_F(EmulatorTest, PartsOfAWarpShuffleIndependently) {
  std::vector<unsigned> totals(32, 0);
  launch("split_warp_kernel", 1, 32, [&] {
    const unsigned lane = thread_index().x;
    const unsigned mask = lane < 8 ? 0xffu : 0xffffff00u;
    unsigned total = lane;
    // The small part does more steps, so the parts are never in step with each other.
    for (unsigned step = 0; step < (lane < 8 ? 12u : 3u); ++step) total = shuffle(mask, total + 1, lane < 8 ? 7u : 8u);
    totals[lane] = total;
    ASSERT_EQ(ballot(kAllLanes, lane >= 30), 0xc0000000u);
  });
  for (unsigned lane = 0; lane < 32; ++lane) EXPECT_EQ(totals[lane], lane < 8 ? 7u + 12 : 8u + 3) << lane;
}

TEST_F(EmulatorTest, ALaneMayWaitForOneThatIsBusyWithAnotherMask) {
  constexpr unsigned kBlocks = 20;
  std::vector<unsigned> first(kBlocks * 3, 0), second(kBlocks * 3, 0);
  launch("chained_masks_kernel", kBlocks, 3, [&] {
    const unsigned lane = thread_index().x;
    const unsigned at = block_index().x * 3 + lane;
    if (lane < 2) first[at] = shuffle_xor(0b011u, lane + 10, 1u);
    if (lane != 1) second[at] = shuffle_xor(0b101u, lane + 20, 2u);
  });
  for (unsigned block = 0; block < kBlocks; ++block) {
    const auto of_block = [block](const std::vector<unsigned>& all) {
      return std::vector<unsigned>(all.begin() + block * 3, all.begin() + block * 3 + 3);
    };
    EXPECT_EQ(of_block(first), (std::vector<unsigned>{11, 10, 0})) << block;
    EXPECT_EQ(of_block(second), (std::vector<unsigned>{22, 0, 20})) << block;
  }
}

TEST_F(EmulatorTest, APartialWarpIgnoresLanesThatDoNotExistAndPoisonsTheirValues) {
  launch("partial_warp_kernel", 2, 40, [] {
    const unsigned lane = thread_index().x % 32;
    const unsigned lanes = thread_index().x < 32 ? 32 : 8;
    ASSERT_EQ(ballot(kAllLanes, true), lanes == 32 ? kAllLanes : 0xffu);
    const float value = shuffle_down(kAllLanes, static_cast<float>(lane), 4u);
    if (lane + 4 < lanes) {
      ASSERT_EQ(value, static_cast<float>(lane + 4));
    } else if (lanes == 8) {
      ASSERT_TRUE(std::isnan(value));
    } else {
      ASSERT_EQ(value, static_cast<float>(lane));
    }
  });
}

TEST_F(EmulatorTest, UnwrittenSharedMemoryIsNanInEveryBlock) {
  std::vector<float> floats(3 * 2);
  std::vector<double> doubles(3 * 2);
  launch("unwritten_shared_kernel", 3, 2, [&] {
    static SharedArray<float, 7> single;
    static SharedArray<double, 3> wide;
    const unsigned at = block_index().x * 2 + thread_index().x;
    floats[at] = single[thread_index().x];
    doubles[at] = wide[thread_index().x];
    single[thread_index().x] = 1;  // must not reach the next block
    wide[thread_index().x] = 1;
  });
  for (const float value : floats) EXPECT_TRUE(std::isnan(value)) << value;
  for (const double value : doubles) EXPECT_TRUE(std::isnan(value)) << value;
}

TEST_F(EmulatorTest, PoisonIsNanInHalfAndBfloat16) {
  EXPECT_EQ(engine::kPoison & 0x7c00, 0x7c00);  // half: exponent all ones
  EXPECT_NE(engine::kPoison & 0x03ff, 0);
  EXPECT_EQ(engine::kPoison & 0x7f80, 0x7f80);  // bfloat16
  EXPECT_NE(engine::kPoison & 0x007f, 0);
}

TEST_F(EmulatorTest, SharedArraysAreContiguousAndAligned) {
  launch("layout_kernel", 1, 1, [] {
    static SharedArray<float, 5> array;
    float* first = array;
    ASSERT_EQ(&array[4], first + 4);
    ASSERT_EQ(array + 1, first + 1);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(first) % 16, 0u);
    ASSERT_EQ(array.size(), 5);
  });
}

TEST_F(EmulatorTest, LaunchesOfSeveralHostThreadsTakeTurns) {
  std::vector<std::thread> hosts;
  std::vector<int> sums(3, 0);
  for (int host = 0; host < 3; ++host) {
    hosts.emplace_back([host, &sums] {
      const std::vector<int> input(64 * 4, host);
      std::vector<int> output(4);
      launch("block_sum_kernel", 4, 64, [&] { block_sum_kernel(input, output); });
      for (const int sum : output) sums[static_cast<std::size_t>(host)] += sum;
    });
  }
  for (std::thread& host : hosts) host.join();
  EXPECT_EQ(sums, (std::vector<int>{0, 256, 512}));
}

// Planted bugs.

TEST_F(EmulatorTest, AnExceptionOfAThreadReachesTheLauncherAndTheNextLaunchWorks) {
  try {
    launch("throwing_kernel", 2, 64, [] {
      if (thread_index().x == 40) throw std::out_of_range("row 40");
      sync_threads();
      shuffle_xor(kAllLanes, 1, 1u);
    });
    FAIL() << "nothing thrown";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "row 40");
  }
  const std::vector<int> input(64, 2);
  std::vector<int> output(1);
  launch("block_sum_kernel", 1, 64, [&] { block_sum_kernel(input, output); });
  EXPECT_EQ(output[0], 128);
}

TEST_F(EmulatorTest, AThreadThatLeavesBeforeABarrierIsReported) {
  for (const unsigned lost : {0u, 5u, 63u}) {
    const std::string error = error_of([lost] {
      launch("lost_barrier_kernel", 3, 64, [lost] {
        sync_threads();
        if (block_index().x == 1 && thread_index().x == lost) return;
        sync_threads();
      });
    });
    expect_says(error, {"lost_barrier_kernel: block 1", "warp " + std::to_string(lost / 32),
                        "thread " + std::to_string(lost) + " left early: expected 2 ", "got 1;"});
  }
}

TEST_F(EmulatorTest, LanesThatDisagreeAboutTheMaskAreReported) {
  const std::string error = error_of([] {
    launch("divergent_mask_kernel", 1, 64, [] {
      const unsigned mask = thread_index().x == 35 ? 0x0000ffffu : kAllLanes;
      shuffle_down(mask, 1.0f, 1u);
    });
  });
  expect_says(error, {"divergent_mask_kernel: block 0: warp 1: shuffle_down", "0x0000ffff", "0xffffffff", "lane 3 "});
}

TEST_F(EmulatorTest, ANamedLaneThatNeverArrivesIsReported) {
  const std::string ended = error_of([] {
    launch("absent_lane_kernel", 1, 32, [] {
      if (thread_index().x != 9) shuffle_xor(kAllLanes, 1, 1u);
    });
  });
  expect_says(ended, {"absent_lane_kernel: block 0: warp 0: shuffle_xor", "end of lane 9;"});

  // The lane is gone before any other names it.
  const std::string gone = error_of([] {
    launch("gone_lane_kernel", 1, 32, [] {
      if (thread_index().x == 9) return;
      sync_threads();
      shuffle_xor(kAllLanes, 1, 1u);
    });
  });
  expect_says(gone, {"gone_lane_kernel: block 0: warp 0: shuffle_xor", "end of lane 9;"});

  const std::string elsewhere = error_of([] {
    launch("lane_at_barrier_kernel", 1, 64, [] {
      if (thread_index().x >= 48)
        sync_threads();
      else
        ballot(thread_index().x < 32 ? 0x1u << thread_index().x : kAllLanes, true);
      sync_threads();
    });
  });
  expect_says(elsewhere, {"lane_at_barrier_kernel: block 0: deadlock", "48 threads at sync_threads",
                          "warp 1 lanes 0-15 in ballot without lanes 16-31"});
}

TEST_F(EmulatorTest, LanesInDifferentOperationsAreReported) {
  expect_says(error_of([] {
                launch("mixed_operation_kernel", 1, 32, [] {
                  if (thread_index().x == 2)
                    ballot(kAllLanes, true);
                  else
                    shuffle(kAllLanes, 1, 0u);
                });
              }),
              {"mixed_operation_kernel: block 0: warp 0: lane 2: expected shuffle", "got ballot"});
  expect_says(error_of([] {
                launch("foreign_mask_kernel", 1, 2, [] {
                  if (thread_index().x == 1) sync_warp(0x1u);
                });
              }),
              {"foreign_mask_kernel: block 0: warp 0: sync_warp: expected the mask to name the calling lane 1"});
}

TEST_F(EmulatorDeathTest, AnEndlessLoopEndsTheProcessWithTheKernelsName) {
  EXPECT_EXIT(
      {
        set_watchdog(std::chrono::milliseconds(100));
        std::atomic<bool> forever{true};
        launch("endless_kernel", 1, 2, [&] {
          while (forever.load()) {
          }
        });
      },
      ::testing::KilledBySignal(SIGABRT), "endless_kernel: watchdog: expected a launch to take at most 100 ms");
}

TEST_F(EmulatorTest, BadLaunchesAreRefused) {
  expect_says(error_of([] { launch("empty_kernel", 1, 0, [] {}); }), {"expected 1 to 1024 threads, got 0"});
  expect_says(error_of([] { launch("wide_kernel", 1, 1025, [] {}); }), {"got 1025"});
  expect_says(error_of([] { launch("outer_kernel", 1, 1, [] { launch("inner_kernel", 1, 1, [] {}); }); }),
              {"inner_kernel: launch: expected a call from the host"});
  expect_says(error_of([] { thread_index(); }), {"thread_index: expected a call inside a kernel"});
}

TEST_F(EmulatorTest, ASharedIndexOutsideTheArrayIsReported) {
  for (const int index : {1'000, -1'000}) {
    const std::string error = error_of([index] {
      launch("far_index_kernel", 1, 2, [index] {
        static SharedArray<float, 32> partials;
        if (thread_index().x == 1) partials[index] = 1;
      });
    });
    expect_says(error, {"far_index_kernel: block 0: thread 1: shared array", "[0, 32), got " + std::to_string(index)});
  }
}

}  // namespace
}  // namespace selfnorm::emulator
