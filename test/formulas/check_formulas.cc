// Compiles formulas for an A100 and an H100, as the CUDA backend would: none has to be there (check-formulas.ts runs
// it). A formula is a line of standard input, `name dtype inputs parameters...`; what comes out is ptxas's report of
// each kernel, under a line that names it.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <vector>

#include "runtime/formula_source.h"
#include "runtime/nvrtc.h"

int main() try {
  using namespace selfnorm;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string name;
    int dtype = 0;
    size_t inputs = 0;
    words >> name >> dtype >> inputs;
    std::vector<double> parameters;
    for (double parameter; words >> parameter;) parameters.push_back(parameter);
    const FormulaCode code = read_formula(std::span<const double>(parameters), inputs);
    const std::string source = formula_source(code, DType(dtype));
    for (const int capability : {80, 90}) {
      const nvrtc::Target target = nvrtc::target_for(capability);
      const nvrtc::Compiled compiled = nvrtc::compile(source, target, true);
      const bool is_code = target.code && compiled.code.compare(0, 4,
                                                                "\x7f"
                                                                "ELF") == 0;
      std::printf("== %s %d %s %s\n%s\n", name.c_str(), dtype, target.option().c_str(), is_code ? "code" : "no code",
                  compiled.log.c_str());
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "check_formulas: %s\n", error.what());
  return 1;
}
