// What a fused op does after its product where the library that made it could not: bias and activation, by the ops
// "<name>/forward" and "<name>/bias_forward", and dropout by its op.
#pragma once

#include <vector>

#include "../kernels/matmul_result.h"
#include "table.h"

namespace selfnorm::SN_BUILD {

struct ActivationOps {
  OpFunction forward = nullptr;
  OpFunction bias_forward = nullptr;
};

// By row of the activation table.
inline const ActivationOps& activation_ops(int row) {
  static const std::vector<ActivationOps> all = [] {
    const OpTable& table = op_table();
    std::vector<ActivationOps> found;
    for (const ActivationFacts& facts : table.activations) {
      ActivationOps ops;
      for (const OpEntry& entry : table.ops) {
        if (entry.name == std::string(facts.name) + "/forward") ops.forward = entry.run;
        if (entry.name == std::string(facts.name) + "/bias_forward") ops.bias_forward = entry.run;
      }
      found.push_back(ops);
    }
    return found;
  }();
  return all.at(size_t(row));
}

// y = activation(x); x and y may be one tensor.
inline void apply_activation(Queue& queue, int row, std::span<const double> parameters, const View& x, const View& y) {
  activation_ops(row).forward({queue, {&x, 1}, {&y, 1}, parameters});
}

// y = activation(x + bias), and x + bias in `pre` where that is present; x may be either of them. Row -1: no
// activation.
inline void apply_bias_activation(Queue& queue, int row, std::span<const double> parameters, const View& x,
                                  const View& bias, const View& y, const View& pre) {
  constexpr int kLinear = 0;  // the first row of the table
  const View inputs[] = {x, bias}, outputs[] = {y, pre};
  activation_ops(row < 0 ? kLinear : row)
      .bias_forward({queue, inputs, {outputs, size_t(pre.present() ? 2 : 1)}, parameters});
}

// y = the dropout of x; x and y may be one tensor.
inline void apply_dropout(Queue& queue, const DropoutMask& mask, const View& x, const View& stamp, const View& y) {
  static const OpFunction dropout = [] {
    for (const OpEntry& entry : op_table().ops) {
      if (entry.name == "dropout") return entry.run;
    }
    throw Error("ERR_INTERNAL", "dropout: not in the native op table");
  }();
  const View inputs[] = {x, stamp};
  const double params[] = {double(mask.threshold), mask.a, mask.b, mask.dropped};
  dropout({queue, inputs, {&y, 1}, params});
}

}  // namespace selfnorm::SN_BUILD
