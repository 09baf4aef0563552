// What a fused op does after its product where the library that made it could not: bias and activation or its
// derivative, by the ops "<name>/forward", "<name>/backward" and their bias_ forms, and dropout by its op.
#pragma once

#include <string>
#include <vector>

#include "../kernels/matmul_result.h"
#include "table.h"

namespace selfnorm::SN_BUILD {

inline OpFunction op_named(const std::string& name) {
  for (const OpEntry& entry : op_table().ops) {
    if (entry.name == name) return entry.run;
  }
  throw Error("ERR_INTERNAL", name + ": not in the native op table");
}

struct ActivationOps {
  OpFunction forward, bias_forward, backward, bias_backward;
};

// By row of the activation table.
inline const ActivationOps& activation_ops(int row) {
  static const std::vector<ActivationOps> all = [] {
    const OpTable& table = op_table();
    std::vector<ActivationOps> found;
    for (const ActivationFacts& facts : table.activations) {
      const std::string name = facts.name;
      found.push_back({op_named(name + "/forward"), op_named(name + "/bias_forward"), op_named(name + "/backward"),
                       op_named(name + "/bias_backward")});
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

// dz = dy times the activation's derivative at what was saved; and dz's column sums where `sums` is present. dz may be
// dy.
inline void apply_derivative(Queue& queue, int row, std::span<const double> parameters, const View& dy,
                             const View& saved, const View& dz, const View& sums) {
  const View inputs[] = {dy, saved}, outputs[] = {dz, sums};
  const ActivationOps& ops = activation_ops(row);
  (sums.present() ? ops.bias_backward
                  : ops.backward)({queue, inputs, {outputs, size_t(sums.present() ? 2 : 1)}, parameters});
}

// y = the dropout of x; x and y may be one tensor.
inline void apply_dropout(Queue& queue, const DropoutMask& mask, const View& x, const View& stamp, const View& y) {
  static const OpFunction dropout = op_named("dropout");
  const View inputs[] = {x, stamp};
  const double params[] = {double(mask.threshold), mask.a, mask.b, mask.dropped};
  dropout({queue, inputs, {&y, 1}, params});
}

}  // namespace selfnorm::SN_BUILD
