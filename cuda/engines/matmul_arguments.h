// From a matrix product's problem to what kernels of ours take: the epilogue, and which accesses may be wide.
#pragma once

#include <type_traits>

#include "../kernels/matmul_derivative.h"
#include "../ops/matmul_passes.h"
#include "runtime/queue.h"

namespace selfnorm::SN_BUILD {

inline constexpr int64_t kWide = 16;  // bytes of the widest access

inline bool aligned(const void* address, int64_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % uintptr_t(bytes) == 0;
}

// Whether each row of an operand's matrices begins at a multiple of 16 bytes.
template <class T>
bool wide_rows(const void* data, int64_t columns, int64_t stride) {
  constexpr int64_t kElements = kWide / int64_t(sizeof(T));
  return aligned(data, kWide) && columns % kElements == 0 && stride % kElements == 0;
}

// Calls start(transpose a, transpose b) with both as types.
template <class Start>
void with_transposes(const MatmulProblem& p, Start start) {
  const auto with_b = [&](auto a) { p.transpose_b ? start(a, std::true_type()) : start(a, std::false_type()); };
  p.transpose_a ? with_b(std::true_type()) : with_b(std::false_type());
}

inline MaskedAffine<float> mask_of(const MatmulOperands& o) {
  return {o.mask.threshold, float(o.mask.a), float(o.mask.b), float(o.mask.dropped)};
}

template <class T>
MatmulEpilogue<T> epilogue_of(const MatmulProblem& p, const MatmulOperands& o) {
  constexpr int64_t kBytes = kQuad * int64_t(sizeof(T));
  const bool packs = p.n % kQuad == 0 && aligned(o.y, kBytes) && aligned(o.kept, kBytes);
  return {static_cast<T*>(o.y),
          static_cast<T*>(o.kept),
          static_cast<const T*>(o.bias),
          static_cast<const RandomStamp*>(o.stamp),
          o.kept == nullptr ? Keeps::kNothing : p.keeps,
          p.activation,
          {p.parameters[0], p.parameters[1]},
          mask_of(o),
          p.form == MatmulForm::kAdded,
          packs};
}

template <class T>
MatmulDerivative<T> derivative_of(const MatmulProblem& p, const MatmulOperands& o, float* partials) {
  constexpr int64_t kBytes = kQuad * int64_t(sizeof(T));
  const bool packs = p.n % kQuad == 0 && aligned(o.y, kBytes) && aligned(o.saved, kBytes);
  return {static_cast<T*>(o.y),
          p.activation > 0 ? static_cast<const T*>(o.saved) : nullptr,
          partials,
          static_cast<const RandomStamp*>(o.stamp),
          p.activation,
          {p.parameters[0], p.parameters[1]},
          mask_of(o),
          packs};
}

// Whether a kernel of ours does the form: gradients by a layer's input multiply by its weights transposed, and only
// those are compiled with the derivative.
inline bool compiled_form(const MatmulProblem& p) {
  const bool plain = p.form == MatmulForm::kForward || p.form == MatmulForm::kAdded;
  return plain || (p.form == MatmulForm::kDerivative && !p.transpose_a && p.transpose_b);
}

// Calls start(transpose a, transpose b, epilogue), with both as types. Partial sums of the derivative have `rows` rows.
template <class T, class Start>
void with_epilogue(Queue& queue, const MatmulProblem& p, const MatmulOperands& o, int64_t rows, Start start) {
  if (p.form != MatmulForm::kDerivative) {
    with_transposes(p, [&](auto a, auto b) { start(a, b, epilogue_of<T>(p, o)); });
    return;
  }
  const Scratch partials(queue, p.has_sums ? size_t(rows * p.n) * sizeof(float) : 0);
  start(std::false_type(), std::true_type(), derivative_of<T>(p, o, p.has_sums ? partials.as<float>() : nullptr));
  if (p.has_sums) add_up_rows(queue, partials.as<const float>(), rows, p.n, p.dtype, o.sums);
}

}  // namespace selfnorm::SN_BUILD
