// Optimizer steps. Inputs: the schedule (float64), the squared norms of all gradients of the step (left out unless
// norms are clipped or the loss is scaled), then a gradient for each parameter. Outputs, overwritten in place: the
// progress (float64), then each parameter with its slots. Params: [with how many calls a step is due (1: with this one;
// 0: it was counted before), index of the first gradient's norm, kind of clipping, its limit, weight decay, the least
// value of a parameter, good steps until the loss's scale grows (0: it has none), the rule's own settings...]. A step
// over more parameters than a call takes is counted by its first call.
#include "../kernels/gradient_norms.cuh"
#include "../kernels/optimizer_step.cuh"
#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// Rough flops of an element.
constexpr int64_t kStepCost = 24, kAverageCost = 4, kNormCost = 2;
constexpr size_t kFirstSetting = 7;

// Fills tables of rows until `count` rows are done, and calls `launch_table(table, first row, aligned, elements)` for
// each; `fill(row, index)` gives a row its pointers and its size.
template <int kSlots, class Fill, class Launch>
void for_each_table(size_t count, Fill fill, Launch launch_table) {
  for (size_t next = 0; next < count;) {
    const size_t first = next;
    ParameterTable<kSlots> table;
    bool aligned = true;
    int64_t elements = 0;
    for (; next < count && table.count < table.kMost; ++next) {
      ParameterRow<kSlots>& row = table.rows[table.count++];
      row = {};
      fill(row, next);
      row.first_chunk = table.chunks;
      aligned = aligned && aligned_to_pack(row.parameter) && aligned_to_pack(row.gradient);
      for (const void* slot : row.slots) aligned = aligned && aligned_to_pack(slot);
      table.chunks += (row.size + kParameterChunk - 1) / kParameterChunk;
      elements += row.size;
    }
    launch_table(table, first, aligned, elements);
  }
}

Grid chunk_grid(int64_t chunks, int64_t elements, int64_t cost, int64_t width) {
  return groups(chunks, chunks == 0 ? 0 : elements * cost / chunks,
                std::min(elements / width, kParameterChunk / width));
}

template <class Rule>
void optimizer_step(const Call& call, Rule rule) {
  const View &schedule = call.inputs[0], &norms = call.inputs[1], &progress = call.outputs[0];
  const StepSettings settings{{Clip(call.integer(2)), call.params[3]}, call.params[4], call.params[5]};
  const auto* const squared_norms = norms.as<const double>();
  if (progress.size() * int64_t(sizeof(double)) != int64_t(sizeof(OptimizerProgress))) {
    throw Error("ERR_INTERNAL", "optimizer: progress of another version; build the addon and TypeScript together");
  }
  if (call.integer(0) != 0) {
    const LossScaling scaling{call.params[6]};
    const int64_t count = settings.clipping.kind == Clip::kGlobalNorm || scaling.on() ? norms.size() : 0;
    launch(call.queue, groups(1, count + 1, count), optimizer_advance_kernel<Rule>, schedule.as<const double>(),
           progress.as<OptimizerProgress>(), rule, squared_norms, count, settings.clipping, scaling, call.params[0]);
  }
  const auto gradients = call.inputs.subspan(2);
  if (gradients.empty()) return;
  dispatch_float(gradients[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kSlots = Rule::kSlots, kWidth = kPackWidth<T, Accumulate<T>>;
    const auto fill = [&](ParameterRow<kSlots>& row, size_t index) {
      const View* const own = &call.outputs[1 + index * (1 + kSlots)];
      row.parameter = own[0].data;
      row.gradient = gradients[index].data;
      row.size = own[0].size();
      for (int slot = 0; slot < kSlots; ++slot) row.slots[slot] = own[1 + slot].data;
    };
    for_each_table<kSlots>(gradients.size(), fill, [&](const auto& table, size_t first, bool aligned, int64_t size) {
      const Grid grid = chunk_grid(table.chunks, size, kStepCost, kWidth);
      const auto* const own_norms = squared_norms == nullptr ? nullptr : squared_norms + call.integer(1) + first;
      const auto kernel =
          kWidth > 1 && aligned ? optimizer_step_kernel<kWidth, T, Rule> : optimizer_step_kernel<1, T, Rule>;
      launch(call.queue, grid, kernel, table, progress.as<const OptimizerProgress>(), rule, settings, own_norms);
    });
  });
}

double setting(const Call& call, size_t index) { return call.params[kFirstSetting + index]; }

void sgd(const Call& call) { optimizer_step(call, SgdRule{}); }

// Settings: momentum, 1 for Nesterov's form.
void momentum(const Call& call) { optimizer_step(call, MomentumRule{setting(call, 0), setting(call, 1) != 0}); }

// Settings: beta1, beta2, epsilon.
void adam(const Call& call) { optimizer_step(call, AdamRule{setting(call, 0), setting(call, 1), setting(call, 2)}); }
void adamax(const Call& call) {
  optimizer_step(call, AdamaxRule{setting(call, 0), setting(call, 1), setting(call, 2)});
}
void nadam(const Call& call) { optimizer_step(call, NadamRule{setting(call, 0), setting(call, 1), setting(call, 2)}); }

// Settings: rho, epsilon.
void adadelta(const Call& call) { optimizer_step(call, AdadeltaRule{setting(call, 0), setting(call, 1)}); }

// Settings: epsilon.
void adagrad(const Call& call) { optimizer_step(call, AdagradRule{setting(call, 0)}); }

// Settings: rho, momentum (0: no slot for it), epsilon, 1 for the centred form.
void rmsprop(const Call& call) {
  const double rho = setting(call, 0), momentum = setting(call, 1), epsilon = setting(call, 2);
  if (setting(call, 3) != 0) {
    if (momentum != 0) return optimizer_step(call, RmsPropRule<true, true>{rho, momentum, epsilon});
    return optimizer_step(call, RmsPropRule<true, false>{rho, momentum, epsilon});
  }
  if (momentum != 0) return optimizer_step(call, RmsPropRule<false, true>{rho, momentum, epsilon});
  optimizer_step(call, RmsPropRule<false, false>{rho, momentum, epsilon});
}

// Settings: beta1, beta2.
void lion(const Call& call) { optimizer_step(call, LionRule{setting(call, 0), setting(call, 1)}); }

// Inputs: gradients. Output, overwritten in place: squared norms (float64), these gradients' from an index on. Params:
// the index.
void squared_norms(const Call& call) {
  if (call.inputs.empty()) return;
  dispatch_float(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kWidth = kPackWidth<T>;
    const auto fill = [&](ParameterRow<0>& row, size_t index) {
      row.gradient = call.inputs[index].data;
      row.size = call.inputs[index].size();
    };
    for_each_table<0>(call.inputs.size(), fill, [&](const auto& table, size_t first, bool aligned, int64_t size) {
      const Scratch sums(call.queue, size_t(std::max<int64_t>(table.chunks, 1)) * sizeof(double));
      const auto kernel =
          kWidth > 1 && aligned ? gradient_chunk_norms_kernel<kWidth, T> : gradient_chunk_norms_kernel<1, T>;
      launch(call.queue, chunk_grid(table.chunks, size, kNormCost, kWidth), kernel, table, sums.as<double>());
      launch(call.queue, groups(table.count, table.chunks / table.count, table.chunks), gradient_norms_kernel, table,
             sums.as<const double>(), call.outputs[0].as<double>() + call.integer(0) + first);
    });
  });
}

// Inputs: the progress, then parameters. Outputs, overwritten in place: their averages. Params: momentum.
void average_parameters(const Call& call) {
  const auto parameters = call.inputs.subspan(1);
  if (parameters.empty()) return;
  const auto* const progress = call.inputs[0].as<const OptimizerProgress>();
  dispatch_float(parameters[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kWidth = kPackWidth<T, Accumulate<T>>;
    const auto fill = [&](ParameterRow<1>& row, size_t index) {
      row.parameter = parameters[index].data;
      row.slots[0] = call.outputs[index].data;
      row.size = parameters[index].size();
    };
    for_each_table<1>(parameters.size(), fill, [&](const auto& table, size_t, bool aligned, int64_t size) {
      const auto kernel =
          kWidth > 1 && aligned ? average_parameters_kernel<kWidth, T> : average_parameters_kernel<1, T>;
      launch(call.queue, chunk_grid(table.chunks, size, kAverageCost, kWidth), kernel, table, progress, call.params[0]);
    });
  });
}

// Inputs: gradients. Outputs, overwritten in place: what waits for the step, with their share added. Params: the share.
void accumulate_gradients(const Call& call) {
  if (call.inputs.empty()) return;
  dispatch_float(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kWidth = kPackWidth<T, Accumulate<T>>;
    const auto fill = [&](ParameterRow<0>& row, size_t index) {
      row.parameter = call.outputs[index].data;
      row.gradient = call.inputs[index].data;
      row.size = call.inputs[index].size();
    };
    for_each_table<0>(call.inputs.size(), fill, [&](const auto& table, size_t, bool aligned, int64_t size) {
      const auto kernel =
          kWidth > 1 && aligned ? accumulate_gradients_kernel<kWidth, T> : accumulate_gradients_kernel<1, T>;
      launch(call.queue, chunk_grid(table.chunks, size, kNormCost, kWidth), kernel, table, call.params[0]);
    });
  });
}

// Input: the progress. Outputs, overwritten in place if a step was due: zeros.
void clear_accumulated(const Call& call) {
  if (call.outputs.empty()) return;
  const auto* const progress = call.inputs[0].as<const OptimizerProgress>();
  dispatch_float(call.outputs[0].dtype, [&](auto tag) {
    using A = Accumulate<typename decltype(tag)::type>;
    const auto fill = [&](ParameterRow<0>& row, size_t index) {
      row.parameter = call.outputs[index].data;
      row.size = call.outputs[index].size();
    };
    for_each_table<0>(call.outputs.size(), fill, [&](const auto& table, size_t, bool, int64_t size) {
      launch(call.queue, chunk_grid(table.chunks, size, kNormCost, 1), clear_accumulated_kernel<A>, table, progress);
    });
  });
}

// x, the progress -> x times the scale of the loss.
void scale_loss(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(x.size(), 1), scale_loss_kernel<T>, x.size(),
           call.inputs[1].as<const OptimizerProgress>(), y.as<T>(), x.as<const T>());
  });
}

// x, the progress -> y, overwritten in place unless the step was left out.
void assign_if_taken(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_size(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(x.size(), 1), assign_if_taken_kernel<T>, x.size(),
           call.inputs[1].as<const OptimizerProgress>(), y.as<T>(), x.as<const T>());
  });
}

}  // namespace

void add_optimizer_ops(OpTable& table) {
  table.add({{"sgd", sgd},
             {"momentum", momentum},
             {"adam", adam},
             {"adamax", adamax},
             {"nadam", nadam},
             {"adadelta", adadelta},
             {"adagrad", adagrad},
             {"rmsprop", rmsprop},
             {"lion", lion},
             {"squaredNorms", squared_norms},
             {"averageParameters", average_parameters},
             {"accumulateGradients", accumulate_gradients},
             {"clearAccumulated", clear_accumulated},
             {"scaleLoss", scale_loss},
             {"assignIfTaken", assign_if_taken}});
}

}  // namespace selfnorm::SN_BUILD
