// Convolutions through oneDNN. cuda/runtime/convolution.h has the same names over cuDNN.
#pragma once

#include <optional>

#include "../../cuda/ops/convolution_problem.h"
#include "queue.h"

namespace selfnorm {

// What the op has to do around the library's call: nothing here.
inline constexpr bool kLibraryFilterOutFirst = false;
inline constexpr bool kLibraryAddsBias = true;
// oneDNN's gradients have nothing behind them.
inline bool library_convolution_differentiates(Queue&, const ConvolutionProblem&, const ActivationFacts&) {
  return false;
}
inline bool library_convolution_derivative(Queue&, const ConvolutionProblem&, const ActivationFacts&, const void*,
                                           const void*, const void*, void*, float*) {
  return false;
}

// The dtype the library computes the problem in: its own, or float32 for half types this CPU lacks; none where the
// plain kernel is to run.
std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem);

// Whether the library applies this activation itself; its argument it does not keep.
bool library_convolution_fuses(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts,
                               std::span<const double> parameters);

// By direction: (x, filter, bias) -> y, (dy, filter) -> dx, (x, dy) -> dfilter. `bias` is null unless the problem has
// one; `pre` is null.
bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* bias, void* output, void* pre);

}  // namespace selfnorm
