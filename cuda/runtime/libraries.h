// Versions of the CUDA libraries the addon runs with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace selfnorm {

// {"cublasVersion", "13.1.1"}, {"cudnnVersion", "9.24.0"}: read from the loaded libraries, not from headers.
std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace selfnorm
