// Convolutions through cuDNN's graph API. cpu/runtime/convolution.h has the same names over oneDNN.
#pragma once

#include <optional>

#include "../ops/convolution_problem.h"
#include "queue.h"

namespace selfnorm {

// What the op has to do around the library's call: cuDNN's tensor-core engines want a filter's input channels
// innermost, and its plain convolutions add no bias.
inline constexpr bool kLibraryFilterOutFirst = true;
inline constexpr bool kLibraryAddsBias = false;

// The dtype the library computes the problem in; none where the plain kernel is to run: float64 and depthwise.
std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem);

bool library_convolution_fuses(const ConvolutionProblem& problem, const ActivationFacts& facts,
                               std::span<const double> parameters);

// By direction: (x, filter) -> y, (dy, filter) -> dx, (x, dy) -> dfilter; filters as [out, height, width, in]. False:
// cuDNN has no deterministic engine for the problem, and nothing was done.
bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* bias, void* output);

}  // namespace selfnorm
