#include "libraries.h"

#include <cublasLt.h>
#include <cudnn_graph.h>

namespace selfnorm {
namespace {

std::string dotted(size_t number, size_t major_unit, size_t minor_unit) {
  return std::to_string(number / major_unit) + "." + std::to_string(number % major_unit / minor_unit) + "." +
         std::to_string(number % minor_unit);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"cublasVersion", dotted(cublasLtGetVersion(), 10000, 100)},
          {"cudnnVersion", dotted(cudnnGetVersion(), 10000, 100)}};
}

}  // namespace selfnorm
