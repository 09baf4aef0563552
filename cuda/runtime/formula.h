// Runs a formula: a kernel of its own, compiled by NVRTC when it is first used. cpu/runtime/formula.h has the same name
// over an interpreter.
#pragma once

#include "../ops/dispatch.h"
#include "../ops/formula_code.h"
#include "queue.h"

namespace selfnorm::SN_BUILD {

// output[i] = formula(inputs[0][i], ...) for n elements of a float dtype. One kernel for formulas that differ in their
// numbers alone.
void launch_formula(Queue& queue, const FormulaCode& code, DType dtype, int64_t n, void* output,
                    const void* const* inputs);

}  // namespace selfnorm::SN_BUILD
