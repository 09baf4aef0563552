// Bugs planted for the sanitizers: a child process of a binary that has the sanitizer runs the bug, and the report must
// name the kernel. A binary without it checks the symptom that the emulator makes visible by itself.
// Kernels here are noinline, so that the report can name them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "emulator/sanitizer.h"
#include "emulator/thread_block.h"

namespace selfnorm::emulator {
namespace {

class EmulatorSanitizerTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
using EmulatorSanitizerDeathTest = EmulatorSanitizerTest;

[[gnu::noinline]] void missing_barrier_kernel(std::vector<float>& output) {
  static SharedArray<float, 64> values;
  const unsigned thread = thread_index().x;
  values[thread] = 1;
  if (thread == 0) {
    float sum = 0;
    for (unsigned i = 0; i < 64; ++i) sum += values[i];
    output[0] = sum;
  }
}

[[gnu::noinline]] void shared_index_overrun_kernel() {
  static SharedArray<float, 33> row;
  row[thread_index().x] = 1;
}

[[gnu::noinline]] void global_overrun_kernel(float* values, unsigned count) {
  const unsigned element = block_index().x * block_size().x + thread_index().x;
  if (element <= count) values[element] = 1;
}

#if defined(__SANITIZE_THREAD__)

constexpr unsigned kAllLanes = ~0u;
constexpr int kThreadSanitizerExit = 66;

/** The race lies between warps that have both passed the same barrier and shuffled since: the emulator's own
    synchronisation must not hide it, whichever thread the scheduler lets run ahead. */
[[gnu::noinline]] void race_after_barrier_kernel(std::vector<int>& output) {
  static SharedArray<int, 64> values;
  const unsigned thread = thread_index().x;
  values[thread] = 0;
  sync_threads();
  values[thread] = shuffle_xor(kAllLanes, static_cast<int>(thread), 1u);
  sync_warp();
  output[thread] = shuffle(kAllLanes, values[63 - thread], thread);
  sync_threads();
}

TEST_F(EmulatorSanitizerDeathTest, ThreadSanitizerReportsAMissingBarrier) {
  EXPECT_EXIT(
      {
        std::vector<float> output(1);
        launch("missing_barrier_kernel", 1, 64, [&] { missing_barrier_kernel(output); });
        std::exit(0);
      },
      ::testing::ExitedWithCode(kThreadSanitizerExit), "data race.*missing_barrier_kernel.*emulator_sanitizer_test.cc");
}

TEST_F(EmulatorSanitizerDeathTest, ThreadSanitizerSeesRacesThroughBarriersAndShuffles) {
  EXPECT_EXIT(
      {
        std::vector<int> output(64);
        launch("race_after_barrier_kernel", 1, 64, [&] { race_after_barrier_kernel(output); });
        std::exit(0);
      },
      ::testing::ExitedWithCode(kThreadSanitizerExit),
      "data race.*race_after_barrier_kernel.*emulator_sanitizer_test.cc");
}

#else

TEST_F(EmulatorSanitizerTest, AMissingBarrierShowsAsNanWhenTheReaderComesFirst) {
  std::vector<float> output(1);
  launch("missing_barrier_kernel", 1, 64, [&] { missing_barrier_kernel(output); });
  EXPECT_TRUE(std::isnan(output[0])) << output[0];
}

#endif

#if defined(__SANITIZE_ADDRESS__)

[[gnu::noinline]] void shared_overrun_kernel(int past) {
  static SharedArray<float, 33> row;
  float* at = row;
  if (thread_index().x == 0) at[past < 0 ? past : 32 + past] = 1;
}

TEST_F(EmulatorSanitizerDeathTest, AddressSanitizerReportsAStoreOutsideSharedMemory) {
  for (const int past : {1, 31, -1, -32}) {
    EXPECT_DEATH(launch("shared_overrun_kernel", 1, 32, [past] { shared_overrun_kernel(past); }),
                 "use-after-poison.*WRITE of size 4.*shared_overrun_kernel.*emulator_sanitizer_test.cc");
  }
  EXPECT_DEATH(launch("shared_index_overrun_kernel", 1, 34, [] { shared_index_overrun_kernel(); }),
               "use-after-poison.*WRITE of size 4.*shared_index_overrun_kernel.*emulator_sanitizer_test.cc");
}

TEST_F(EmulatorSanitizerDeathTest, AddressSanitizerReportsAStoreOutsideGlobalMemory) {
  const auto values = std::make_unique<float[]>(100);
  EXPECT_DEATH(launch("global_overrun_kernel", 4, 32, [&] { global_overrun_kernel(values.get(), 100); }),
               "heap-buffer-overflow.*WRITE of size 4.*global_overrun_kernel.*emulator_sanitizer_test.cc");
}

#else

TEST_F(EmulatorSanitizerTest, AnIndexOnePastSharedMemoryIsReported) {
  try {
    launch("shared_index_overrun_kernel", 2, 34, [] { shared_index_overrun_kernel(); });
    FAIL() << "nothing thrown";
  } catch (const EmulatorError& error) {
    EXPECT_STREQ(error.what(),
                 "emulator: shared_index_overrun_kernel: block 0: thread 33: shared array: expected an index in [0, "
                 "33), got 33");
  }
}

TEST_F(EmulatorSanitizerTest, AStorePastGlobalMemoryShowsInAGuardBand) {
  constexpr float kGuard = -7;
  std::vector<float> values(101, kGuard);
  launch("global_overrun_kernel", 4, 32, [&] { global_overrun_kernel(values.data(), 99); });
  EXPECT_EQ(values[100], kGuard);
  launch("global_overrun_kernel", 4, 32, [&] { global_overrun_kernel(values.data(), 100); });
  EXPECT_EQ(values[100], 1);
}

#endif

}  // namespace
}  // namespace selfnorm::emulator
