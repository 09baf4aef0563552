// Optimizer steps. Inputs: a gradient for each parameter. Outputs, overwritten in place: the state (float64 [4]), then
// each parameter with its slots.
#include "../kernels/optimizer_step.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

template <int Slots, class Rule>
void optimizer_step(const Call& call, double beta1, double beta2, Rule rule) {
  if (call.inputs.empty()) return;
  auto* const state = call.outputs[0].as<OptimizerState>();
  launch(call.queue, groups(1, 1, 1), advance_step_kernel, state, beta1, beta2);
  dispatch_float(call.inputs[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t next = 0; next < call.inputs.size();) {
      ParameterTable table;
      for (; next < call.inputs.size() && table.count < kMostParameters; ++next) {
        const View* const own = &call.outputs[1 + next * (1 + Slots)];
        ParameterRow& row = table.rows[table.count++];
        row = {own[0].data, call.inputs[next].data, {}, own[0].size(), table.chunks};
        for (int slot = 0; slot < Slots; ++slot) row.slots[slot] = own[1 + slot].data;
        table.chunks += (row.size + kOptimizerChunk - 1) / kOptimizerChunk;
      }
      launch(call.queue, groups(table.chunks, 8 * kOptimizerChunk, kOptimizerChunk),
             optimizer_step_kernel<T, Slots, Rule>, table, static_cast<const OptimizerState*>(state), rule);
    }
  });
}

void sgd(const Call& call) { optimizer_step<0>(call, 1, 1, SgdRule{}); }

// Params: [momentum, nesterov].
void momentum(const Call& call) { optimizer_step<1>(call, 1, 1, MomentumRule{call.params[0], call.params[1] != 0}); }

// Params: [beta1, beta2, epsilon].
void adam(const Call& call) {
  const auto& p = call.params;
  optimizer_step<2>(call, p[0], p[1], AdamRule{p[0], p[1], p[2]});
}

}  // namespace

void add_optimizer_ops(OpTable& table) { table.add({{"sgd", sgd}, {"momentum", momentum}, {"adam", adam}}); }

}  // namespace selfnorm::SN_BUILD
