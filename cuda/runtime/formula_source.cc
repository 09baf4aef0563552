#include "formula_source.h"

#include <array>

namespace selfnorm {
namespace {

// How values are stored, by dtype. NVRTC has no headers for the half types; the conversions are instructions anyway.
const char* storage_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return R"(typedef double A;
typedef double T;
__device__ __forceinline__ A load(T value) { return value; }
__device__ __forceinline__ T store(A value) { return value; }
)";
    case DType::kFloat16:
      return R"(typedef float A;
struct T { unsigned short bits; };
__device__ __forceinline__ A load(T value) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}
__device__ __forceinline__ T store(A value) {
  T result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
)";
    case DType::kBfloat16:
      return R"(typedef float A;
struct T { unsigned short bits; };
__device__ __forceinline__ A load(T value) { return __uint_as_float((unsigned)value.bits << 16); }
__device__ __forceinline__ T store(A value) {
  T result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
)";
    default:
      return R"(typedef float A;
typedef float T;
__device__ __forceinline__ A load(T value) { return value; }
__device__ __forceinline__ T store(A value) { return value; }
)";
  }
}

// The same formulas as cuda/kernels: sigmoid and softplus lose no digits at either end, max and min keep NaN.
constexpr const char* kFunctions =
    R"(__device__ __forceinline__ A sn_sign(A x) { return x == A(0) || x != x ? x : x > A(0) ? A(1) : A(-1); }
__device__ __forceinline__ A sn_sigmoid(A x) {
  const A z = sn_exp(-sn_abs(x)), numerator = x < A(0) ? z : A(1);
  return numerator - numerator * (z / (A(1) + z));
}
__device__ __forceinline__ A sn_softplus(A x) { return (x < A(0) ? A(0) : x) + sn_log1p(sn_exp(-sn_abs(x))); }
__device__ __forceinline__ A sn_max(A a, A b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ A sn_min(A a, A b) { return a < b || a != a ? a : b; }
)";

// CUDA's functions by the name that both types share here.
std::string wrapped_functions(DType dtype) {
  const char* const suffix = dtype == DType::kFloat64 ? "" : "f";
  std::string text;
  const auto wrap = [&](const std::string& name, const std::string& cuda, int count) {
    const char* const parameters = count == 1 ? "A a" : "A a, A b";
    text += "__device__ __forceinline__ A sn_" + name + "(" + parameters + ") { return " + cuda + suffix +
            (count == 1 ? "(a); }\n" : "(a, b); }\n");
  };
  wrap("abs", "fabs", 1);
  wrap("pow", "pow", 2);
  for (const char* const name : {"sqrt", "exp", "expm1", "log", "log1p", "tanh", "erf", "sin", "cos", "floor"}) {
    wrap(name, name, 1);
  }
  return text;
}

std::string call(const char* function, const std::array<std::string, 3>& of, int count = 1) {
  return std::string(function) + "(" + of[0] + (count == 2 ? ", " + of[1] : "") + ")";
}
std::string infix(const char* sign, const std::array<std::string, 3>& of) { return of[0] + sign + of[1]; }
std::string test(const char* sign, const std::array<std::string, 3>& of) { return infix(sign, of) + " ? A(1) : A(0)"; }

std::string value_of(FormulaOp op, const std::array<std::string, 3>& of) {
  switch (op) {
    case FormulaOp::kMove: return of[0];
    case FormulaOp::kNegative: return "-" + of[0];
    case FormulaOp::kAbs: return call("sn_abs", of);
    case FormulaOp::kSign: return call("sn_sign", of);
    case FormulaOp::kSqrt: return call("sn_sqrt", of);
    case FormulaOp::kExp: return call("sn_exp", of);
    case FormulaOp::kExpm1: return call("sn_expm1", of);
    case FormulaOp::kLog: return call("sn_log", of);
    case FormulaOp::kLog1p: return call("sn_log1p", of);
    case FormulaOp::kTanh: return call("sn_tanh", of);
    case FormulaOp::kSigmoid: return call("sn_sigmoid", of);
    case FormulaOp::kSoftplus: return call("sn_softplus", of);
    case FormulaOp::kErf: return call("sn_erf", of);
    case FormulaOp::kSin: return call("sn_sin", of);
    case FormulaOp::kCos: return call("sn_cos", of);
    case FormulaOp::kFloor: return call("sn_floor", of);
    case FormulaOp::kAdd: return infix(" + ", of);
    case FormulaOp::kSubtract: return infix(" - ", of);
    case FormulaOp::kMultiply: return infix(" * ", of);
    case FormulaOp::kDivide: return infix(" / ", of);
    case FormulaOp::kPower: return call("sn_pow", of, 2);
    case FormulaOp::kMinimum: return call("sn_min", of, 2);
    case FormulaOp::kMaximum: return call("sn_max", of, 2);
    case FormulaOp::kLess: return test(" < ", of);
    case FormulaOp::kLessEqual: return test(" <= ", of);
    case FormulaOp::kEqual: return test(" == ", of);
    case FormulaOp::kNotEqual: return test(" != ", of);
    case FormulaOp::kSelect: return of[0] + " != A(0) ? " + of[1] + " : " + of[2];
  }
  return of[0];
}

std::string operand(int number) {
  return number < kFirstConstant ? "r" + std::to_string(number)
                                 : "constants.values[" + std::to_string(number - kFirstConstant) + "]";
}

// `text` once for each input, its number in the place of every #.
std::string for_inputs(const FormulaCode& code, const std::string& text) {
  std::string all;
  for (int i = 0; i < code.inputs; ++i) {
    for (const char character : text) all += character == '#' ? std::to_string(i) : std::string(1, character);
  }
  return all;
}

}  // namespace

std::string formula_source(const FormulaCode& code, DType dtype) {
  const int width = formula_pack(dtype);
  std::string source = storage_of(dtype) + wrapped_functions(dtype) + kFunctions;
  source += "struct alignas(16) Pack { T values[" + std::to_string(width) + "]; };\n";
  source += "struct Constants { A values[" + std::to_string(std::max(1, int(code.constant_count))) + "]; };\n";

  source += "__device__ __forceinline__ A value(const Constants& constants" + for_inputs(code, ", A r#") + ") {\n";
  for (int r = code.inputs; r < code.registers; ++r) source += "  A r" + std::to_string(r) + ";\n";
  for (int i = 0; i < code.instruction_count; ++i) {
    const FormulaInstruction& instruction = code.instructions[i];
    std::array<std::string, 3> of;
    for (int k = 0; k < operand_count(instruction.op); ++k) of[size_t(k)] = operand(instruction.operands[k]);
    source += "  r" + std::to_string(instruction.result) + " = " + value_of(instruction.op, of) + ";\n";
  }
  source += "  return r" + std::to_string(code.instructions[code.instruction_count - 1].result) + ";\n}\n";

  source +=
      "extern \"C\" __global__ void __launch_bounds__(256) formula(long long n, long long packs, "
      "Constants constants, T* output" +
      for_inputs(code, ", const T* in#") +
      ") {\n"
      "  const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;\n"
      "  const long long step = (long long)gridDim.x * blockDim.x;\n"
      "  for (long long p = first; p < packs; p += step) {\n" +
      for_inputs(code, "    const Pack p# = reinterpret_cast<const Pack*>(in#)[p];\n") +
      "    Pack result;\n"
      "    #pragma unroll\n"
      "    for (int lane = 0; lane < " +
      std::to_string(width) + "; ++lane) {\n      result.values[lane] = store(value(constants" +
      for_inputs(code, ", load(p#.values[lane])") +
      "));\n    }\n"
      "    reinterpret_cast<Pack*>(output)[p] = result;\n"
      "  }\n"
      "  for (long long i = packs * " +
      std::to_string(width) +
      " + first; i < n; i += step) {\n"
      "    output[i] = store(value(constants" +
      for_inputs(code, ", load(in#[i])") + "));\n  }\n}\n";
  return source;
}

}  // namespace selfnorm
