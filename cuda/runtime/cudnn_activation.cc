#include "cudnn_activation.h"

#include <string_view>

namespace selfnorm::cudnn {
namespace {

// relu6(x + 3) / 6, the gate of hardSigmoid and hardSwish.
TensorId hard_gate(Graph& graph, TensorId x) {
  const TensorId capped = graph.unary(Mode::kRelu, graph.with_number(Mode::kAdd, x, 3), 0, 6);
  return graph.with_number(Mode::kMultiply, capped, 1.0 / 6);
}

// `above` where y > 0, `below` elsewhere.
TensorId step(Graph& graph, TensorId y, double below, double above) {
  const TensorId positive = graph.with_number(Mode::kGreater, y, 0);
  if (below == 0 && above == 1) return positive;
  return graph.with_number(Mode::kAdd, graph.with_number(Mode::kMultiply, positive, above - below), below);
}

// What an exponential unit's slope is at y: y + edge where y <= 0, `above` elsewhere.
TensorId exponential_slope(Graph& graph, TensorId y, double edge, double above) {
  return graph.binary(Mode::kAdd, graph.with_number(Mode::kMinimum, y, 0), step(graph, y, edge, above));
}

TensorId one_minus(Graph& graph, TensorId x) {
  return graph.with_number(Mode::kAdd, graph.with_number(Mode::kMultiply, x, -1), 1);
}

// 1 where 0 < y < cap, else 0.
TensorId between(Graph& graph, TensorId y, double cap) {
  return graph.binary(Mode::kSubtract, step(graph, y, 0, 1), graph.with_number(Mode::kGreaterEqual, y, cap));
}

// f' from the output; none where it takes the input.
std::optional<TensorId> slope_at_output(Graph& graph, std::string_view name, const double* parameters, TensorId y) {
  if (name == "relu") return step(graph, y, 0, 1);
  if (name == "relu6") return between(graph, y, 6);
  if (name == "leakyRelu") return step(graph, y, parameters[0], 1);
  if (name == "elu") return exponential_slope(graph, y, parameters[0], 1);
  if (name == "selu") return exponential_slope(graph, y, parameters[0] * parameters[1], parameters[1]);
  if (name == "celu") {
    const TensorId below = graph.with_number(Mode::kMinimum, y, 0);
    return graph.with_number(Mode::kAdd, graph.with_number(Mode::kMultiply, below, 1 / parameters[0]), 1);
  }
  if (name == "softplus") {
    const TensorId scaled = graph.with_number(Mode::kMultiply, y, -parameters[0]);
    return one_minus(graph, graph.unary(Mode::kExponential, scaled));
  }
  if (name == "logSigmoid") return one_minus(graph, graph.unary(Mode::kExponential, y));
  if (name == "sigmoid") return graph.binary(Mode::kMultiply, one_minus(graph, y), y);
  if (name == "hardSigmoid") return graph.with_number(Mode::kMultiply, between(graph, y, 1), 1.0 / 6);
  if (name == "tanh") {
    return graph.binary(Mode::kMultiply, one_minus(graph, y), graph.with_number(Mode::kAdd, y, 1));
  }
  if (name == "softsign") {
    const TensorId rest = one_minus(graph, graph.unary(Mode::kAbsolute, y));
    return graph.binary(Mode::kMultiply, rest, rest);
  }
  return std::nullopt;
}

}  // namespace

std::optional<TensorId> add_activation(Graph& graph, const ActivationFacts& facts, const double* parameters,
                                       TensorId x) {
  const std::string_view name = facts.name;
  if (name == "linear") return x;
  if (name == "relu") return graph.unary(Mode::kRelu, x);
  if (name == "relu6") return graph.unary(Mode::kRelu, x, 0, 6);
  if (name == "leakyRelu") return graph.unary(Mode::kRelu, x, parameters[0]);
  if (name == "elu") return graph.unary(Mode::kElu, x, parameters[0]);
  if (name == "selu") {
    return graph.with_number(Mode::kMultiply, graph.unary(Mode::kElu, x, parameters[0]), parameters[1]);
  }
  if (name == "celu") {
    const TensorId scaled = graph.with_number(Mode::kMultiply, x, 1 / parameters[0]);
    return graph.with_number(Mode::kMultiply, graph.unary(Mode::kElu, scaled, 1), parameters[0]);
  }
  if (name == "softplus") return graph.unary(Mode::kSoftplus, x, parameters[0]);
  if (name == "sigmoid") return graph.unary(Mode::kSigmoid, x);
  if (name == "hardSigmoid") return hard_gate(graph, x);
  if (name == "tanh") return graph.unary(Mode::kTanh, x);
  if (name == "softsign") {
    return graph.binary(Mode::kDivide, x, graph.with_number(Mode::kAdd, graph.unary(Mode::kAbsolute, x), 1));
  }
  if (name == "gelu") return graph.unary(Mode::kGelu, x);
  if (name == "geluTanh") return graph.unary(Mode::kGeluTanh, x);
  if (name == "silu") return graph.unary(Mode::kSilu, x);
  if (name == "mish") {
    return graph.binary(Mode::kMultiply, x, graph.unary(Mode::kTanh, graph.unary(Mode::kSoftplus, x, 1)));
  }
  if (name == "hardSwish") return graph.binary(Mode::kMultiply, x, hard_gate(graph, x));
  if (name == "logSigmoid") {
    const TensorId negated = graph.with_number(Mode::kMultiply, x, -1);
    return graph.with_number(Mode::kMultiply, graph.unary(Mode::kSoftplus, negated, 1), -1);
  }
  return std::nullopt;
}

std::optional<TensorId> add_derivative(Graph& graph, const ActivationFacts& facts, const double* parameters,
                                       TensorId gradient, TensorId saved) {
  const std::string_view name = facts.name;
  if (name == "linear") return gradient;
  if (name == "gelu") return graph.binary(Mode::kGeluBackward, saved, gradient);
  if (name == "geluTanh") return graph.binary(Mode::kGeluTanhBackward, saved, gradient);
  if (name == "silu") return graph.binary(Mode::kSiluBackward, saved, gradient);
  if (const std::optional<TensorId> slope = slope_at_output(graph, name, parameters, saved)) {
    return graph.binary(Mode::kMultiply, gradient, *slope);
  }
  return std::nullopt;
}

}  // namespace selfnorm::cudnn
