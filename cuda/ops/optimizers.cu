// Optimizer steps. Inputs: the learning rate (float64 scalar), then a gradient for each parameter. Outputs, overwritten
// in place: the progress (float64 [2]), then each parameter with its slots. Params: [1 to count a step, settings...]; a
// step over more parameters than a call takes is counted by its first call.
#include "../kernels/optimizer_step.cuh"

#include "map.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int64_t kStepCost = 24;

template <class T, class Rule>
void launch_step(const Call& call, const ParameterTable& table, bool aligned, int64_t elements, Rule rule) {
  constexpr int kWidth = kPackWidth<T, Accumulate<T>>;
  const auto* const progress = call.outputs[0].as<const OptimizerProgress>();
  const int64_t cost = table.chunks == 0 ? 0 : elements * kStepCost / table.chunks;
  const Grid grid = groups(table.chunks, cost, std::min(elements / kWidth, kOptimizerChunk / kWidth));
  if (kWidth > 1 && aligned) {
    launch(call.queue, grid, optimizer_step_kernel<kWidth, T, Rule>, table, progress, rule);
  } else {
    launch(call.queue, grid, optimizer_step_kernel<1, T, Rule>, table, progress, rule);
  }
}

template <class Rule>
void optimizer_step(const Call& call, Rule rule) {
  if (call.integer(0) != 0) {
    launch(call.queue, elements(1, 1), optimizer_advance_kernel<Rule>, call.inputs[0].as<const double>(),
           call.outputs[0].as<OptimizerProgress>(), rule);
  }
  const auto gradients = call.inputs.subspan(1);
  if (gradients.empty()) return;
  dispatch_float(gradients[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t next = 0; next < gradients.size();) {
      ParameterTable table;
      bool aligned = true;
      int64_t elements = 0;
      for (; next < gradients.size() && table.count < kMostParameters; ++next) {
        const View* const own = &call.outputs[1 + next * (1 + Rule::kSlots)];
        ParameterRow& row = table.rows[table.count++];
        row = {own[0].data, gradients[next].data, {}, own[0].size(), table.chunks};
        aligned = aligned && aligned_to_pack(row.parameter) && aligned_to_pack(row.gradient);
        for (int slot = 0; slot < Rule::kSlots; ++slot) {
          row.slots[slot] = own[1 + slot].data;
          aligned = aligned && aligned_to_pack(row.slots[slot]);
        }
        table.chunks += (row.size + kOptimizerChunk - 1) / kOptimizerChunk;
        elements += row.size;
      }
      launch_step<T>(call, table, aligned, elements, rule);
    }
  });
}

void sgd(const Call& call) { optimizer_step(call, SgdRule{}); }

// Settings: momentum, nesterov.
void momentum(const Call& call) { optimizer_step(call, MomentumRule{call.params[1], call.params[2] != 0}); }

// Settings: beta1, beta2, epsilon.
void adam(const Call& call) { optimizer_step(call, AdamRule{call.params[1], call.params[2], call.params[3]}); }

}  // namespace

void add_optimizer_ops(OpTable& table) { table.add({{"sgd", sgd}, {"momentum", momentum}, {"adam", adam}}); }

}  // namespace selfnorm::SN_BUILD
