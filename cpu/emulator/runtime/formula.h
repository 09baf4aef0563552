// Runs a formula in the emulator: the interpreter of the CPU backend, an element a thread.
#pragma once

#include "../../../cuda/ops/dispatch.h"
#include "../../runtime/formula_kernel.h"
#include "launch.h"

namespace selfnorm::SN_BUILD {

// output[i] = formula(inputs[0][i], ...) for n elements of a float dtype.
inline void launch_formula(Queue& queue, const FormulaCode& code, DType dtype, int64_t n, void* output,
                           const void* const* inputs) {
  dispatch_float(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    formula::Operands<T> operands{static_cast<T*>(output), {}};
    for (int i = 0; i < code.inputs; ++i) operands.inputs[i] = static_cast<const T*>(inputs[i]);
    launch(queue, elements(n, cost_of(code)), formula_kernel<T>, n, code, operands);
  });
}

}  // namespace selfnorm::SN_BUILD
