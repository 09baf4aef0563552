// NVRTC, CUDA's compiler as a library: source text to code for a GPU. The library is loaded when it is first asked for;
// cuDNN needs the same one.
#pragma once

#include <string>

namespace selfnorm::nvrtc {

// What is compiled for: code for a GPU where NVRTC knows its generation, else PTX, which the driver compiles.
struct Target {
  int capability;  // 90 for 9.0
  bool code;
  std::string option() const;
};

// "13.0"
std::string version();
// The target for a GPU of that compute capability.
Target target_for(int capability);

struct Compiled {
  std::string code;  // a cubin, or PTX
  std::string log;
};
// Compiles without contracting anything but a product and a sum. `report`: the log has each kernel's registers and
// spills. Throws Error with the compiler's words, and where there is no NVRTC.
Compiled compile(const std::string& source, const Target& target, bool report = false);

}  // namespace selfnorm::nvrtc
