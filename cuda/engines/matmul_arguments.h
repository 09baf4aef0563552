// From a matrix product's problem to what kernels of ours take: the epilogue, and which accesses may be wide.
#pragma once

#include <type_traits>

#include "../kernels/matmul_epilogue.h"
#include "../ops/matmul_problem.h"

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
          {o.mask.threshold, float(o.mask.a), float(o.mask.b), float(o.mask.dropped)},
          packs};
}

}  // namespace selfnorm::SN_BUILD
