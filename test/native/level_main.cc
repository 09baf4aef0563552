// Runs the tests compiled for one CPU level, if this CPU has it.
#include <gtest/gtest.h>

#include <iostream>

int main(int argc, char** argv) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports(SN_LEVEL)) {
    std::cout << "not run: this CPU is not " << SN_LEVEL << "\n";
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
