// Optimizer steps over many tensors in one launch: the kernel's argument is a table of parameters with their gradients
// and slots, cut into chunks of fixed size, so that one large and fifty small tensors fill the device alike. What
// changes between steps, the learning rate and the step count, is read from device memory: a recorded step finds new
// ones there.
#pragma once

#include "math.h"
#include "pack.h"

namespace selfnorm::SN_BUILD {

// One block's work: four packs of each operand for every thread of a GPU block.
inline constexpr int64_t kOptimizerChunk = 4096;
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

// Steps taken, and the learning rate of the current one with the rule's correction. In double: 1 - beta2^t loses its
// digits in float.
struct OptimizerProgress {
  double step, rate;
};

// The rules are Keras 3's. Each gets the rate, a parameter, its gradient and its slots, and changes them.
struct SgdRule {
  static constexpr int kSlots = 0;
  SN_HD double rate(double learning_rate, double) const { return learning_rate; }
  template <class A>
  SN_HD void operator()(A rate, A& parameter, A gradient, A&, A&) const {
    parameter -= rate * gradient;
  }
};

struct MomentumRule {
  static constexpr int kSlots = 1;
  double momentum;
  bool nesterov;
  SN_HD double rate(double learning_rate, double) const { return learning_rate; }
  template <class A>
  SN_HD void operator()(A rate, A& parameter, A gradient, A& velocity, A&) const {
    const A step = rate * gradient;
    velocity = A(momentum) * velocity - step;
    const A ahead = A(momentum) * velocity - step;
    parameter += nesterov ? ahead : velocity;
  }
};

// Kingma & Ba 2015, "Adam: a method for stochastic optimization", with epsilon outside the bias correction.
struct AdamRule {
  static constexpr int kSlots = 2;
  double beta1, beta2, epsilon;
  SN_HD double rate(double learning_rate, double step) const {
    return learning_rate * math::sqrt(1 - math::pow(beta2, step)) / (1 - math::pow(beta1, step));
  }
  template <class A>
  SN_HD void operator()(A rate, A& parameter, A gradient, A& mean, A& square) const {
    mean += (gradient - mean) * A(1 - beta1);
    square += (gradient * gradient - square) * A(1 - beta2);
    parameter -= mean * rate / (math::sqrt(square) + A(epsilon));
  }
};

// One thread, before the update: every block of that one reads the same progress.
template <class Rule>
__global__ void optimizer_advance_kernel(const double* learning_rate, OptimizerProgress* progress, Rule rule) {
  const Range once = grid_range(1);
  for (int64_t i = once.begin; i < once.end; i += once.step) {
    progress->step += 1;
    progress->rate = rule.rate(*learning_rate, progress->step);
  }
}

// The operands of one chunk. Slots are kept in the type the step is computed in: half-precision moments would stop
// moving.
template <class T>
struct ParameterChunk {
  T* parameter;
  const T* gradient;
  Accumulate<T>* slots[2];
};

template <int Width, class T, class Rule>
SN_DEVICE void optimizer_step_at(const Rule& rule, Accumulate<T> rate, const ParameterChunk<T>& chunk, int64_t i) {
  using A = Accumulate<T>;
  auto parameter = load_pack<Width>(chunk.parameter + i);
  const auto gradient = load_pack<Width>(chunk.gradient + i);
  Pack<A, Width> first{}, second{};
  if constexpr (Rule::kSlots > 0) first = load_pack<Width>(chunk.slots[0] + i);
  if constexpr (Rule::kSlots > 1) second = load_pack<Width>(chunk.slots[1] + i);
  SN_UNROLL
  for (int lane = 0; lane < Width; ++lane) {
    A value = load(parameter.values[lane]);
    rule(rate, value, load(gradient.values[lane]), first.values[lane], second.values[lane]);
    parameter.values[lane] = store<T>(value);
  }
  store_pack(chunk.parameter + i, parameter);
  if constexpr (Rule::kSlots > 0) store_pack(chunk.slots[0] + i, first);
  if constexpr (Rule::kSlots > 1) store_pack(chunk.slots[1] + i, second);
}

template <int Width, class T, class Rule>
__global__ void optimizer_step_kernel(ParameterTable table, const OptimizerProgress* progress, Rule rule) {
  const auto rate = Accumulate<T>(progress->rate);
  const Range chunks = group_range(table.chunks);
  int index = 0;
  for (int64_t number = chunks.begin; number < chunks.end; number += chunks.step) {
    while (index + 1 < table.count && table.rows[index + 1].first_chunk <= number) ++index;
    const ParameterRow& row = table.rows[index];
    const int64_t begin = (number - row.first_chunk) * kOptimizerChunk;
    const int64_t size = row.size - begin < kOptimizerChunk ? row.size - begin : kOptimizerChunk;
    ParameterChunk<T> chunk{static_cast<T*>(row.parameter) + begin, static_cast<const T*>(row.gradient) + begin, {}};
    for (int slot = 0; slot < Rule::kSlots; ++slot) {
      chunk.slots[slot] = static_cast<Accumulate<T>*>(row.slots[slot]) + begin;
    }
    const Range packs = block_range(size / Width);
    SN_INDEPENDENT
    for (int64_t p = packs.begin; p < packs.end; p += packs.step)
      optimizer_step_at<Width>(rule, rate, chunk, p * Width);
    if constexpr (Width > 1) {
      const int64_t done = size / Width * Width;
      const Range tail = block_range(size - done);
      for (int64_t i = tail.begin; i < tail.end; i += tail.step) optimizer_step_at<1>(rule, rate, chunk, done + i);
    }
  }
}

}  // namespace selfnorm::SN_BUILD
