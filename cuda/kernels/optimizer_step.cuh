// Optimizer steps over many tensors in one launch: the kernel's argument is a table of parameters with their gradients
// and slots, cut into chunks of fixed size, so that one large and fifty small tensors fill the device alike. The
// learning rate and the step's powers are read from device memory: a recorded step finds new ones there.
#pragma once

#include "math.h"
#include "range.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

inline constexpr int64_t kOptimizerChunk = 16384;
// A kernel's arguments may take 4 KiB on every CUDA version.
inline constexpr int kMostParameters = 64;

struct ParameterRow {
  void* parameter;
  const void* gradient;
  void* slots[2];
  int64_t size;
  int64_t first_chunk;
};

struct ParameterTable {
  int count = 0;
  int64_t chunks = 0;
  ParameterRow rows[kMostParameters];
};

// Shared by all optimizers; in double, since powers of beta2 lose their digits in float.
struct OptimizerState {
  double learning_rate, step, beta1_power, beta2_power;
};

__global__ void advance_step_kernel(OptimizerState* state, double beta1, double beta2) {
  if (block_index() == 0 && thread_index() == 0) {
    state->step += 1;
    state->beta1_power *= beta1;
    state->beta2_power *= beta2;
  }
}

// The rules below are Keras 3's. Each gets the parameter, its gradient and its slots, and changes them.
struct SgdRule {
  template <class A>
  SN_HD void operator()(const OptimizerState& state, A& parameter, A gradient, A&, A&) const {
    parameter -= A(state.learning_rate) * gradient;
  }
};

struct MomentumRule {
  double momentum;
  bool nesterov;
  template <class A>
  SN_HD void operator()(const OptimizerState& state, A& parameter, A gradient, A& velocity, A&) const {
    const A step = A(state.learning_rate) * gradient;
    velocity = A(momentum) * velocity - step;
    parameter += nesterov ? A(momentum) * velocity - step : velocity;
  }
};

// Kingma & Ba 2015, "Adam: a method for stochastic optimization", with epsilon outside the bias correction.
struct AdamRule {
  double beta1, beta2, epsilon;
  template <class A>
  SN_HD void operator()(const OptimizerState& state, A& parameter, A gradient, A& mean, A& square) const {
    const A rate = A(state.learning_rate * math::sqrt(1 - state.beta2_power) / (1 - state.beta1_power));
    mean += (gradient - mean) * A(1 - beta1);
    square += (gradient * gradient - square) * A(1 - beta2);
    parameter -= mean * rate / (math::sqrt(square) + A(epsilon));
  }
};

template <class T, int Slots, class Rule>
__global__ void optimizer_step_kernel(ParameterTable table, const OptimizerState* state_in_memory, Rule rule) {
  using A = Accumulate<T>;
  const OptimizerState state = *state_in_memory;
  const Range chunks = group_range(table.chunks);
  for (int64_t chunk = chunks.begin; chunk < chunks.end; chunk += chunks.step) {
    int index = 0;
    while (index + 1 < table.count && table.rows[index + 1].first_chunk <= chunk) ++index;
    const ParameterRow& row = table.rows[index];
    const int64_t begin = (chunk - row.first_chunk) * kOptimizerChunk;
    const int64_t size = row.size - begin < kOptimizerChunk ? row.size - begin : kOptimizerChunk;
    T* const parameter = static_cast<T*>(row.parameter) + begin;
    const T* const gradient = static_cast<const T*>(row.gradient) + begin;
    // Slots are kept in the type the step is computed in: half-precision moments would stop moving.
    A* const first = Slots > 0 ? static_cast<A*>(row.slots[0]) + begin : nullptr;
    A* const second = Slots > 1 ? static_cast<A*>(row.slots[1]) + begin : nullptr;
    const Range range = block_range(size);
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      A value = load(parameter[i]), slot0 = A(0), slot1 = A(0);
      if constexpr (Slots > 0) slot0 = first[i];
      if constexpr (Slots > 1) slot1 = second[i];
      rule(state, value, load(gradient[i]), slot0, slot1);
      parameter[i] = store<T>(value);
      if constexpr (Slots > 0) first[i] = slot0;
      if constexpr (Slots > 1) second[i] = slot1;
    }
  }
}

}  // namespace selfnorm::SN_BUILD
