// The emulator has no library: every product runs the plain kernel.
#pragma once

#include <optional>

#include "../../../cuda/ops/matmul_problem.h"

namespace selfnorm {

inline std::optional<DType> library_matmul_dtype(const MatmulProblem&) { return std::nullopt; }
inline bool library_matmul_fuses(const MatmulProblem&, const ActivationFacts&, std::span<const double>) {
  return false;
}
inline void library_matmul(Queue&, const MatmulProblem&, const void*, const void*, const void*, void*) {}

}  // namespace selfnorm
