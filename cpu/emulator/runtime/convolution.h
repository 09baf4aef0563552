// The emulator has no library: every convolution runs the plain kernels.
#pragma once

#include <optional>

#include "../../../cuda/ops/convolution_problem.h"

namespace selfnorm {

// What the op has to do around the library's call: there is none.
inline constexpr bool kLibraryFilterOutFirst = false;
inline constexpr bool kLibraryAddsBias = true;

inline std::optional<DType> library_convolution_dtype(const ConvolutionProblem&) { return std::nullopt; }
inline bool library_convolution_fuses(Queue&, const ConvolutionProblem&, const ActivationFacts&,
                                      std::span<const double>) {
  return false;
}
inline bool library_convolution_differentiates(Queue&, const ConvolutionProblem&, const ActivationFacts&) {
  return false;
}
inline bool library_convolution_derivative(Queue&, const ConvolutionProblem&, const ActivationFacts&, const void*,
                                           const void*, const void*, void*, float*) {
  return false;
}
inline bool library_convolution(Queue&, const ConvolutionProblem&, const void*, const void*, const void*, void*,
                                void*) {
  return false;
}

}  // namespace selfnorm
