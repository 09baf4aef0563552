// Optimizer steps over many tensors in one launch. What changes between steps, the learning rate, the step count and
// the gradients' norms, is read from device memory: a recorded step finds new ones there.
#pragma once

#include "learning_rate.h"
#include "optimizer_rules.h"
#include "pack.h"
#include "parameter_table.h"
#include "reduce.h"

namespace selfnorm::SN_BUILD {

// The order is part of the contract with TypeScript.
enum class Clip { kNone = 0, kNorm, kGlobalNorm, kValue };

struct Clipping {
  Clip kind;
  double limit;
};

// What every rule does alike before its own step.
struct StepSettings {
  Clipping clipping;
  double weight_decay;
  double least;  // of a parameter after the step: 0 where they may not be negative, else -infinity
};

// Dynamic loss scaling, so that half gradients neither vanish nor stay infinite (Micikevicius et al. 2018, "Mixed
// precision training"): the scale doubles after so many good steps, and halves with each step that is left out.
struct LossScaling {
  double growth_steps;  // 0: no scaling
  // Powers of two: a scale stays one, so that undoing it is exact; float32, in which losses are scaled, has them all.
  static constexpr double kLeast = 0x1p-100, kMost = 0x1p100;

  SN_HD bool on() const { return growth_steps != 0; }
  SN_HD void advance(OptimizerProgress& now) const {
    now.good_steps += 1;
    if (now.taken == 0) {
      now.skipped += 1;
      now.good_steps = 0;
      now.loss_scale = now.loss_scale > kLeast ? now.loss_scale / 2 : now.loss_scale;
    } else if (now.good_steps >= growth_steps) {
      now.good_steps = 0;
      now.loss_scale = now.loss_scale < kMost ? now.loss_scale * 2 : now.loss_scale;
    }
  }
};

// One block, before the update, whose blocks all read the same progress. `squared_norms` are those of all gradients of
// the step, none but for clipping by the global norm and for loss scaling: their sum is finite if every gradient is.
// A step is due with every `batches`-th call, with the mean of their gradients.
template <class Rule>
__global__ void optimizer_advance_kernel(const double* schedule, OptimizerProgress* progress, Rule rule,
                                         const double* squared_norms, int64_t gradients, Clipping clipping,
                                         LossScaling scaling, double batches) {
  const Range once = group_range(1);
  for (int64_t i = once.begin; i < once.end; i += once.step) {
    const Range range = block_range(gradients);
    double total = 0;
    for (int64_t g = range.begin; g < range.end; g += range.step) total += squared_norms[g];
    total = block_sum(total);
    if (thread_index() != 0) continue;
    OptimizerProgress now = *progress;
    now.accumulated += 1;
    const bool due = now.accumulated >= batches;
    now.accumulated = due ? 0 : now.accumulated;
    now.taken = due ? 1 : 0;
    // The scale stays as it is while gradients of its losses are added up.
    if (due && scaling.on()) {
      now.taken = total - total == 0 ? 1 : 0;
      now.unscale = 1 / now.loss_scale;
      scaling.advance(now);
    }
    if (now.taken != 0) {
      now.learning_rate = learning_rate_at(schedule, now.step);
      now.step += 1;
      const double norm = math::sqrt(total) * now.unscale;
      // An infinite norm makes every parameter NaN, as in Keras: there is no direction to keep.
      const bool clips = clipping.kind == Clip::kGlobalNorm;
      now.scale = clips ? clipping.limit / math::max_nan(norm, clipping.limit) + (norm - norm) : 1;
      rule.advance(now);
    }
    *progress = now;
  }
}

// What all elements of a chunk share.
template <class A>
struct ChunkSettings {
  Coefficients<A> coefficients;
  A scale, limit, decay, least;
};

template <class A>
SN_DEVICE ChunkSettings<A> chunk_settings(const StepSettings& settings, const OptimizerProgress& now,
                                          const double* squared_norm) {
  const auto [kind, limit] = settings.clipping;
  ChunkSettings<A> chunk;
  SN_UNROLL
  for (int i = 0; i < kMostCoefficients; ++i) chunk.coefficients.values[i] = A(now.coefficients[i]);
  double scale = kind == Clip::kGlobalNorm ? now.scale : 1;
  if (kind == Clip::kNorm) scale = limit / math::max_nan(math::sqrt(*squared_norm) * now.unscale, limit);
  chunk.scale = A(scale * now.unscale);
  chunk.limit = kind == Clip::kValue ? A(limit) : math::kInfinity<A>;
  chunk.decay = A(settings.weight_decay * now.learning_rate);
  chunk.least = A(settings.least);
  return chunk;
}

// The operands of one chunk. Slots are kept in the type the step is computed in: half-precision moments would stop
// moving.
template <class T, int kSlots>
struct ParameterChunk {
  T* parameter;
  const T* gradient;
  Accumulate<T>* slots[kSlots == 0 ? 1 : kSlots];
};

// Without branches, so that the loop over elements becomes vectors; with nothing to clip or to decay, exactly the rule.
template <class A, class Rule>
SN_HD void optimizer_step_element(const Rule& rule, const ChunkSettings<A>& now, A& parameter, A gradient, A* slots) {
  const A scaled = gradient * now.scale;
  const A above = scaled < -now.limit ? -now.limit : scaled;
  // Of an infinite parameter no decay must not make NaN.
  const A decay = parameter * now.decay;
  parameter -= now.decay != A(0) ? decay : A(0);
  rule(now.coefficients, parameter, scaled > now.limit ? now.limit : above, slots);
  parameter = parameter < now.least ? now.least : parameter;
}

template <int Width, class T, class Rule>
SN_DEVICE void optimizer_step_at(const Rule& rule, const ChunkSettings<Accumulate<T>>& now,
                                 const ParameterChunk<T, Rule::kSlots>& chunk, int64_t i) {
  using A = Accumulate<T>;
  constexpr int kSlots = Rule::kSlots;
  auto parameter = load_pack<Width>(chunk.parameter + i);
  const auto gradient = load_pack<Width>(chunk.gradient + i);
  Pack<A, Width> slots[kSlots == 0 ? 1 : kSlots];
  SN_UNROLL
  for (int slot = 0; slot < kSlots; ++slot) slots[slot] = load_pack<Width>(chunk.slots[slot] + i);
  SN_UNROLL
  for (int lane = 0; lane < Width; ++lane) {
    A value = load(parameter.values[lane]);
    A own[kSlots == 0 ? 1 : kSlots];
    SN_UNROLL
    for (int slot = 0; slot < kSlots; ++slot) own[slot] = slots[slot].values[lane];
    optimizer_step_element(rule, now, value, load(gradient.values[lane]), own);
    parameter.values[lane] = store<T>(value);
    SN_UNROLL
    for (int slot = 0; slot < kSlots; ++slot) slots[slot].values[lane] = own[slot];
  }
  store_pack(chunk.parameter + i, parameter);
  SN_UNROLL
  for (int slot = 0; slot < kSlots; ++slot) store_pack(chunk.slots[slot] + i, slots[slot]);
}

// `squared_norms`: of the table's gradients, read when each is clipped by its own norm.
template <int Width, class T, class Rule>
__global__ void optimizer_step_kernel(ParameterTable<Rule::kSlots> table, const OptimizerProgress* progress,
                                      const Rule rule, StepSettings settings, const double* squared_norms) {
  const Range chunks = group_range(progress->taken != 0 ? table.chunks : 0);
  int index = 0;
  for (int64_t number = chunks.begin; number < chunks.end; number += chunks.step) {
    find_row(table, number, index);
    const ParameterRow<Rule::kSlots>& row = table.rows[index];
    const auto [begin, size] = span_of(row, number);
    const auto now = chunk_settings<Accumulate<T>>(settings, *progress, squared_norms + index);
    ParameterChunk<T, Rule::kSlots> chunk{
        static_cast<T*>(row.parameter) + begin, static_cast<const T*>(row.gradient) + begin, {}};
    SN_UNROLL
    for (int slot = 0; slot < Rule::kSlots; ++slot) {
      chunk.slots[slot] = static_cast<Accumulate<T>*>(row.slots[slot]) + begin;
    }
    const Range packs = block_range(size / Width);
    SN_INDEPENDENT
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      optimizer_step_at<Width>(rule, now, chunk, p * Width);
    }
    if constexpr (Width > 1) {
      const int64_t done = size / Width * Width;
      const Range tail = block_range(size - done);
      for (int64_t i = tail.begin; i < tail.end; i += tail.step) optimizer_step_at<1>(rule, now, chunk, done + i);
    }
  }
}

// Running averages of parameters, kept in their slot; after the first step they are the parameters themselves.
template <int Width, class T>
__global__ void average_parameters_kernel(ParameterTable<1> table, const OptimizerProgress* progress, double momentum) {
  using A = Accumulate<T>;
  const A kept = A(progress->step > 1 ? momentum : 0), taken = A(progress->step > 1 ? 1 - momentum : 1);
  const Range chunks = group_range(progress->taken != 0 ? table.chunks : 0);
  int index = 0;
  for (int64_t number = chunks.begin; number < chunks.end; number += chunks.step) {
    find_row(table, number, index);
    const ParameterRow<1>& row = table.rows[index];
    const ParameterSpan span = span_of(row, number);
    const T* const parameter = static_cast<const T*>(row.parameter) + span.begin;
    A* const average = static_cast<A*>(row.slots[0]) + span.begin;
    const auto mix = [=](A old, A value) { return kept * old + taken * value; };
    const Range packs = block_range(span.size / Width);
    SN_INDEPENDENT
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      auto result = load_pack<Width>(average + p * Width);
      map_pack(mix, result, result, load_pack<Width>(parameter + p * Width));
      store_pack(average + p * Width, result);
    }
    if constexpr (Width > 1) {
      const int64_t done = span.size / Width * Width;
      const Range tail = block_range(span.size - done);
      for (int64_t i = done + tail.begin; i < span.size; i += tail.step) {
        average[i] = mix(average[i], load(parameter[i]));
      }
    }
  }
}

// Gradients of a batch, added to those that wait for their step: each has the same share of the mean.
template <int Width, class T>
__global__ void accumulate_gradients_kernel(ParameterTable<0> table, double share) {
  using A = Accumulate<T>;
  const A part = A(share);
  const Range chunks = group_range(table.chunks);
  int index = 0;
  for (int64_t number = chunks.begin; number < chunks.end; number += chunks.step) {
    find_row(table, number, index);
    const ParameterRow<0>& row = table.rows[index];
    const ParameterSpan span = span_of(row, number);
    const T* const gradient = static_cast<const T*>(row.gradient) + span.begin;
    A* const sum = static_cast<A*>(row.parameter) + span.begin;
    const auto add = [=](A old, A value) { return old + part * value; };
    const Range packs = block_range(span.size / Width);
    SN_INDEPENDENT
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      auto result = load_pack<Width>(sum + p * Width);
      map_pack(add, result, result, load_pack<Width>(gradient + p * Width));
      store_pack(sum + p * Width, result);
    }
    if constexpr (Width > 1) {
      const int64_t done = span.size / Width * Width;
      const Range tail = block_range(span.size - done);
      for (int64_t i = done + tail.begin; i < span.size; i += tail.step) sum[i] = add(sum[i], load(gradient[i]));
    }
  }
}

// When a step was due its gradients are done with, whether it was taken or left out. Zeros are written, not multiplied:
// they may have been infinite.
template <class A>
__global__ void clear_accumulated_kernel(ParameterTable<0> table, const OptimizerProgress* progress) {
  const Range chunks = group_range(progress->accumulated == 0 ? table.chunks : 0);
  int index = 0;
  for (int64_t number = chunks.begin; number < chunks.end; number += chunks.step) {
    find_row(table, number, index);
    const ParameterRow<0>& row = table.rows[index];
    const ParameterSpan span = span_of(row, number);
    A* const sum = static_cast<A*>(row.parameter) + span.begin;
    const Range range = block_range(span.size);
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) sum[i] = A(0);
  }
}

// What loss scaling does beside the step: y = x loss_scale, of a loss and of its gradient.
template <class T>
__global__ void scale_loss_kernel(int64_t n, const OptimizerProgress* progress, T* y, const T* x) {
  const auto scale = Accumulate<T>(progress->loss_scale);
  const Range range = grid_range(n);
  for (int64_t i = range.begin; i < range.end; i += range.step) y[i] = store<T>(load(x[i]) * scale);
}

// y = x where the step was taken, else y as it is.
template <class T>
__global__ void assign_if_taken_kernel(int64_t n, const OptimizerProgress* progress, T* y, const T* x) {
  const Range range = grid_range(progress->taken != 0 ? n : 0);
  for (int64_t i = range.begin; i < range.end; i += range.step) y[i] = x[i];
}

}  // namespace selfnorm::SN_BUILD
