// Interprets a formula on the CPU, without compiling anything: each instruction is a loop over a block of some hundred
// elements, which becomes vectors, so that looking at the instruction costs next to nothing an element. The registers
// of a block stay in the first-level cache; what is read and written of memory is the operands, once.
#pragma once

#include <algorithm>

#include "../../cuda/kernels/elementwise.h"
#include "../../cuda/kernels/range.h"
#include "../../cuda/kernels/stream_store.h"
#include "../../cuda/ops/formula_code.h"

namespace selfnorm::SN_BUILD {

namespace formula {

struct Move {
  template <class A>
  A operator()(A x) const {
    return x;
  }
};
struct Tanh {
  template <class A>
  A operator()(A x) const {
    return math::tanh(x);
  }
};
struct Sigmoid {
  template <class A>
  A operator()(A x) const {
    return math::sigmoid(x);
  }
};
struct Softplus {
  template <class A>
  A operator()(A x) const {
    return math::softplus1(x);
  }
};
struct Erf {
  template <class A>
  A operator()(A x) const {
    return math::erf(x);
  }
};
struct Sin {
  template <class A>
  A operator()(A x) const {
    return math::sin(x);
  }
};
struct Cos {
  template <class A>
  A operator()(A x) const {
    return math::cos(x);
  }
};
// Comparisons give 1 or 0.
template <class F>
struct Test {
  template <class A>
  A operator()(A a, A b) const {
    return F{}(a, b) ? A(1) : A(0);
  }
};

// The elements of a register, or one number for all.
template <class A>
struct Operand {
  const A* elements;
  A constant;
};

template <class F, class A>
void each(F f, const Operand<A>& a, A* result, int64_t n) {
  if (a.elements == nullptr) {
    const A value = f(a.constant);
    for (int64_t i = 0; i < n; ++i) result[i] = value;
    return;
  }
  const A* const x = a.elements;
  SN_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) result[i] = f(x[i]);
}

template <class F, class A>
void each(F f, const Operand<A>& a, const Operand<A>& b, A* result, int64_t n) {
  const A *const x = a.elements, *const y = b.elements;
  const A c = a.constant, d = b.constant;
  if (x != nullptr && y != nullptr) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) result[i] = f(x[i], y[i]);
  } else if (x != nullptr) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) result[i] = f(x[i], d);
  } else {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) result[i] = f(c, y[i]);
  }
}

template <class A>
void select(const Operand<A>& condition, const Operand<A>& a, const Operand<A>& b, A* result, int64_t n) {
  const A *const test = condition.elements, *const x = a.elements, *const y = b.elements;
  const A c = a.constant, d = b.constant;
  if (test == nullptr) {
    each(Move{}, condition.constant != A(0) ? a : b, result, n);
  } else if (x != nullptr && y != nullptr) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const A yes = x[i], no = y[i];
      result[i] = test[i] != A(0) ? yes : no;
    }
  } else if (x != nullptr) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const A yes = x[i];
      result[i] = test[i] != A(0) ? yes : d;
    }
  } else if (y != nullptr) {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const A no = y[i];
      result[i] = test[i] != A(0) ? c : no;
    }
  } else {
    SN_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) result[i] = test[i] != A(0) ? c : d;
  }
}

template <class A>
void run(FormulaOp op, const Operand<A> (&of)[3], A* result, int64_t n) {
  switch (op) {
    case FormulaOp::kMove: return each(Move{}, of[0], result, n);
    case FormulaOp::kNegative: return each(Neg{}, of[0], result, n);
    case FormulaOp::kAbs: return each(Abs{}, of[0], result, n);
    case FormulaOp::kSign: return each(Sign{}, of[0], result, n);
    case FormulaOp::kSqrt: return each(Sqrt{}, of[0], result, n);
    case FormulaOp::kExp: return each(Exp{}, of[0], result, n);
    case FormulaOp::kExpm1: return each(Expm1{}, of[0], result, n);
    case FormulaOp::kLog: return each(Log{}, of[0], result, n);
    case FormulaOp::kLog1p: return each(Log1p{}, of[0], result, n);
    case FormulaOp::kTanh: return each(Tanh{}, of[0], result, n);
    case FormulaOp::kSigmoid: return each(Sigmoid{}, of[0], result, n);
    case FormulaOp::kSoftplus: return each(Softplus{}, of[0], result, n);
    case FormulaOp::kErf: return each(Erf{}, of[0], result, n);
    case FormulaOp::kSin: return each(Sin{}, of[0], result, n);
    case FormulaOp::kCos: return each(Cos{}, of[0], result, n);
    case FormulaOp::kFloor: return each(Floor{}, of[0], result, n);
    case FormulaOp::kAdd: return each(Add{}, of[0], of[1], result, n);
    case FormulaOp::kSubtract: return each(Sub{}, of[0], of[1], result, n);
    case FormulaOp::kMultiply: return each(Mul{}, of[0], of[1], result, n);
    case FormulaOp::kDivide: return each(Div{}, of[0], of[1], result, n);
    case FormulaOp::kPower: return each(Pow{}, of[0], of[1], result, n);
    case FormulaOp::kMinimum: return each(Minimum{}, of[0], of[1], result, n);
    case FormulaOp::kMaximum: return each(Maximum{}, of[0], of[1], result, n);
    case FormulaOp::kLess: return each(Test<Less>{}, of[0], of[1], result, n);
    case FormulaOp::kLessEqual: return each(Test<LessEqual>{}, of[0], of[1], result, n);
    case FormulaOp::kEqual: return each(Test<Equal>{}, of[0], of[1], result, n);
    case FormulaOp::kNotEqual: return each(Test<NotEqual>{}, of[0], of[1], result, n);
    case FormulaOp::kSelect: return select(of[0], of[1], of[2], result, n);
  }
}

// Operands of one dtype.
template <class T>
struct Operands {
  T* output;
  const T* inputs[kMostFormulaInputs];
};

template <class T>
inline constexpr bool kComputedAsStored = std::is_same_v<Accumulate<T>, T>;

// Registers that a block needs memory for: an input that is computed on as it is stored is its own.
template <class T>
int64_t scratch_registers(const FormulaCode& code) {
  return kComputedAsStored<T> ? code.registers - code.inputs : code.registers;
}

// The elements from `first` on, at most `width` of them; register r lies at scratch + width r. The result goes to
// `result`, or to a place among the registers where that is null; returns where it went.
template <class T>
const Accumulate<T>* run_block(const FormulaCode& code, const Operands<T>& operands, int64_t first, int64_t n,
                               int64_t width, Accumulate<T>* scratch, Accumulate<T>* result) {
  using A = Accumulate<T>;
  const auto place = [&](int number) {
    return scratch + (kComputedAsStored<T> ? number - code.inputs : number) * width;
  };
  const A* inputs[kMostFormulaInputs];
  for (int i = 0; i < code.inputs; ++i) {
    const T* const from = operands.inputs[i] + first;
    if constexpr (kComputedAsStored<T>) {
      inputs[i] = from;
    } else {
      A* const to = place(i);
      SN_INDEPENDENT
      for (int64_t k = 0; k < n; ++k) to[k] = load(from[k]);
      inputs[i] = to;
    }
  }
  A* to = result;
  for (int i = 0; i < code.instruction_count; ++i) {
    const FormulaInstruction& instruction = code.instructions[i];
    Operand<A> of[3] = {};
    for (int k = 0; k < operand_count(instruction.op); ++k) {
      const int number = instruction.operands[k];
      if (number >= kFirstConstant)
        of[k] = {nullptr, A(code.constants[number - kFirstConstant])};
      else
        of[k] = {number < code.inputs ? inputs[number] : place(number), A(0)};
    }
    const bool last = i + 1 == code.instruction_count;
    to = last && result != nullptr ? result : place(instruction.result);
    run(instruction.op, of, to, n);
  }
  return to;
}

inline constexpr int64_t kScratchBytes = 32 << 10, kWidestBlock = 1024;

// A range of elements, block by block. A large result is streamed past the cache, as in pack.h.
template <class T>
void run_range(const FormulaCode& code, const Operands<T>& operands, const Range& range, bool streamed) {
  using A = Accumulate<T>;
  alignas(64) static thread_local A scratch[kScratchBytes / sizeof(A)];
  alignas(64) static thread_local T tile[kWidestBlock];
  const int64_t registers = std::max<int64_t>(1, scratch_registers<T>(code));
  const int64_t width = std::min(kWidestBlock, kScratchBytes / int64_t(sizeof(A)) / registers / 64 * 64);
  for (int64_t first = range.begin; first < range.end; first += width) {
    const int64_t n = std::min(width, range.end - first);
    T* const output = operands.output + first;
    const bool whole = streamed && n % 64 == 0;
    T* const target = whole ? tile : output;
    if constexpr (kComputedAsStored<T>) {
      run_block(code, operands, first, n, width, scratch, target);
    } else {
      const A* const result = run_block<T>(code, operands, first, n, width, scratch, nullptr);
      SN_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) target[i] = store<T>(result[i]);
    }
    if (whole) stream_copy(output, tile, n * int64_t(sizeof(T)));
  }
  if (streamed) stream_fence();
}

}  // namespace formula

template <class T>
__global__ void formula_kernel(int64_t n, FormulaCode code, formula::Operands<T> operands) {
  const Range range = grid_range(n);
  if constexpr (kManyThreads) {
    // The emulator's threads have an element at a time.
    Accumulate<T> scratch[kMostFormulaRegisters];
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      operands.output[i] = store<T>(*formula::run_block<T>(code, operands, i, 1, 1, scratch, nullptr));
    }
  } else {
    bool streamed = kStreams && n * int64_t(sizeof(T)) >= stream_threshold &&
                    reinterpret_cast<uintptr_t>(operands.output) % 64 == 0;
    for (int i = 0; i < code.inputs; ++i) streamed = streamed && operands.inputs[i] != operands.output;
    formula::run_range(code, operands, range, streamed);
  }
}

}  // namespace selfnorm::SN_BUILD
