// The CUDA source of a formula's kernel, as text for NVRTC. Plain C++: compiled and read without a GPU.
#pragma once

#include <string>

#include "../ops/formula_code.h"

namespace selfnorm {

// Elements of a 16-byte pack.
inline constexpr int formula_pack(DType dtype) { return int(16 / size_of(dtype)); }

// A kernel `formula(long long n, long long packs, Constants, T* output, const T* input0, ...)`: the first `packs` packs
// are moved whole, the rest element by element. The constants come with each launch.
std::string formula_source(const FormulaCode& code, DType dtype);

}  // namespace selfnorm
