// Activations as nodes of a cuDNN graph: what the functors of ../kernels/activations.h compute, in the operations that
// cuDNN can put behind a product.
#pragma once

#include <optional>

#include "../kernels/activations.h"
#include "cudnn_graph.h"

namespace selfnorm::cudnn {

// f(x); none where cuDNN has no form of this activation.
std::optional<TensorId> add_activation(Graph& graph, const ActivationFacts& facts, const double* parameters,
                                       TensorId x);

// gradient * f', from what the activation saves: its output, or its input. None as above.
std::optional<TensorId> add_derivative(Graph& graph, const ActivationFacts& facts, const double* parameters,
                                       TensorId gradient, TensorId saved);

}  // namespace selfnorm::cudnn
