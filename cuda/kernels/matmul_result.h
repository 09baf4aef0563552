// What follows a matrix product, as plain values that the host and the kernels share.
#pragma once

#include <cstdint>

namespace selfnorm {

// What a product is for: what becomes of a b before it is y.
enum class MatmulForm : int32_t {
  kForward,     // y = dropout(activation(a b + bias))
  kDerivative,  // y = dropout'(a b) activation'(saved), the gradient of a layer below; its sums: those of y's columns
  kAdded,       // y += a b
  kSumsRight,   // y = a b, and the sums of b's columns: the gradients of a layer's weights and bias
};

// What is stored beside the result for the backward pass.
enum class Keeps : int32_t { kNothing, kPreActivation, kActivated };

// Elements whose 16 bits are below the threshold become `dropped`, the others a x + b.
struct DropoutMask {
  int32_t threshold = 0;
  double a = 1, b = 0, dropped = 0;
};

}  // namespace selfnorm
