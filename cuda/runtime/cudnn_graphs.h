// The graphs that this library asks cuDNN for: products and convolutions with what can ride in their kernels'
// epilogues.
#pragma once

#include <optional>

#include "../ops/convolution_problem.h"
#include "../ops/matmul_problem.h"
#include "cudnn_graph.h"

namespace selfnorm::cudnn {

// What follows the product, in this order.
struct Epilogue {
  bool bias = false;
  // y = f(product); null: the product itself.
  const ActivationFacts* activation = nullptr;
  // Backward: y = product * f'(saved), f the activation of the layer below.
  const ActivationFacts* derivative = nullptr;
  const double* parameters = nullptr;  // of either
  // The activation's input is stored beside its result.
  bool keeps_pre = false;
  // Columns of y, or channels, are added to sums that the caller zeroed: by atomics, so not where runs are to repeat.
  bool sums = false;
};

// A graph and its tensors in memory; -1: not part of it.
struct FusedGraph {
  Graph graph;
  TensorId first = -1, second = -1, output = -1;
  TensorId bias = -1, saved = -1, pre = -1, sums = -1;
};

// `alignment` in bytes is what all addresses are multiples of. None where cuDNN has no form of the activation, or the
// problem's dtype no tensor cores: float64, and float32 that must not be rounded to TF32.
std::optional<FusedGraph> matmul_graph(const MatmulProblem& problem, const Epilogue& epilogue, int64_t alignment);
// Filters as [out, height, width, in]. An empty epilogue gives the plain convolution, in strict float32 too.
std::optional<FusedGraph> convolution_graph(const ConvolutionProblem& problem, const Epilogue& epilogue,
                                            int64_t alignment);

}  // namespace selfnorm::cudnn
