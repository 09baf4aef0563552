// The activation of a fused op, where the library that made the product could not apply it: the op "<name>/forward".
#pragma once

#include <vector>

#include "table.h"

namespace selfnorm::SN_BUILD {

// y = activation number `index`(x); x and y may be one tensor.
inline void apply_activation(Queue& queue, int index, std::span<const double> parameters, const View& x,
                             const View& y) {
  static const std::vector<OpFunction> forward = [] {
    const OpTable& table = op_table();
    std::vector<OpFunction> found;
    for (const ActivationFacts& facts : table.activations) {
      for (const OpEntry& entry : table.ops) {
        if (entry.name == std::string(facts.name) + "/forward") found.push_back(entry.run);
      }
    }
    return found;
  }();
  forward.at(size_t(index))({queue, {&x, 1}, {&y, 1}, parameters});
}

}  // namespace selfnorm::SN_BUILD
