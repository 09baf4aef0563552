// What was chosen among several engines in this process, for people: `selfnorm doctor --kernels`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace selfnorm {

struct KernelChoice {
  std::string op;
  std::string problem;
  // Best first, with the milliseconds it took: infinite where it failed, negative where nothing was measured.
  std::vector<std::pair<std::string, double>> engines;
};

}  // namespace selfnorm
