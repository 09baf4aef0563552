// What follows a matrix product, as plain values that the host and the kernels share.
#pragma once

#include <cstdint>

namespace selfnorm {

// What is stored beside the result for the backward pass.
enum class Keeps : int32_t { kNothing, kPreActivation, kActivated };

// Elements whose 16 bits are below the threshold become `dropped`, the others a x + b.
struct DropoutMask {
  int32_t threshold = 0;
  double a = 1, b = 0, dropped = 0;
};

}  // namespace selfnorm
