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

// The dtype the library computes the problem in; none where the plain kernel is to run: float64.
std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem);

// Whether a kernel of cuDNN's is good for y = f(conv(x, filter) + bias), which also stores f's argument where the
// problem keeps it. The first time for a problem, that kernel is compiled or read from disk: this takes up to seconds.
bool library_convolution_fuses(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts,
                               std::span<const double> parameters);

// The same for library_convolution_derivative without sums.
bool library_convolution_differentiates(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts);

// By direction: (x, filter) -> y, (dy, filter) -> dx, (x, dy) -> dfilter; filters as [out, height, width, in]. `bias`
// and `pre` matter where the problem has an activation: then all of it is one kernel. False: cuDNN has no deterministic
// engine for the problem, and nothing was done.
bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* bias, void* output, void* pre);

// dx = backward_input(dy, filter) * f'(saved): the gradient that a layer hands on, already through the activation f of
// the layer below, whose output or input, as `facts` say, is `saved`. With `sums` (float32 [in_channels], zeroed by the
// caller) its sums over all but the channels are added there by the same kernel: by atomics, so the last bits differ
// from run to run. False as above.
bool library_convolution_derivative(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts,
                                    const void* dy, const void* filter, const void* saved, void* dx, float* sums);

}  // namespace selfnorm
