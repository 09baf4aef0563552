// A formula of elementwise operands as instructions on registers, as src/formula/compile.ts writes it into the
// parameters of an op. The CPU interprets it block by block (cpu/runtime/formula_kernel.h); CUDA makes a kernel of it
// (cuda/runtime).
#pragma once

#include "op.h"

namespace selfnorm {

// The order is part of the contract with TypeScript (src/formula/instructions.ts).
enum class FormulaOp : uint8_t {
  kMove,
  kNegative,
  kAbs,
  kSign,
  kSqrt,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kTanh,
  kSigmoid,
  kSoftplus,
  kErf,
  kSin,
  kCos,
  kFloor,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPower,
  kMinimum,
  kMaximum,
  kLess,
  kLessEqual,
  kEqual,
  kNotEqual,
  kSelect,
};
inline constexpr int kFormulaOps = int(FormulaOp::kSelect) + 1;

inline constexpr int operand_count(FormulaOp op) { return op < FormulaOp::kAdd ? 1 : op == FormulaOp::kSelect ? 3 : 2; }

// The first registers are the inputs. An operand of kFirstConstant and more is a constant. The last instruction's
// result is the formula's.
struct FormulaInstruction {
  FormulaOp op;
  uint8_t result;
  uint8_t operands[3];
};

inline constexpr int kMostFormulaInputs = 8, kMostFormulaRegisters = 64;
inline constexpr int kMostFormulaConstants = 64, kMostFormulaInstructions = 256;
inline constexpr int kFirstConstant = 128;

// By value in a launch: what is recorded refers to no memory that somebody has to keep.
struct FormulaCode {
  int32_t inputs = 0, registers = 0, constant_count = 0, instruction_count = 0;
  FormulaInstruction instructions[kMostFormulaInstructions];
  double constants[kMostFormulaConstants];
};

// Reads parameters [registers, constant count, constants..., instructions...]; an instruction is a number with a byte
// for op, result and each operand. Throws where they are none: nothing that is run may reach outside its registers.
inline FormulaCode read_formula(const Arguments<double>& params, size_t inputs) {
  const auto require = [](bool holds) {
    if (!holds) throw Error("ERR_INTERNAL", "formula: expected instructions of this version; build the addon again");
  };
  require(params.size() >= 3 && inputs <= size_t(kMostFormulaInputs));
  FormulaCode code;
  code.inputs = int32_t(inputs);
  require(params[0] >= code.inputs && params[0] <= kMostFormulaRegisters);
  require(params[1] >= 0 && params[1] <= kMostFormulaConstants);
  code.registers = int32_t(params[0]);
  code.constant_count = int32_t(params[1]);
  const size_t first = 2 + size_t(code.constant_count);
  require(params.size() > first && params.size() - first <= size_t(kMostFormulaInstructions));
  for (int i = 0; i < code.constant_count; ++i) code.constants[i] = params[size_t(2 + i)];
  code.instruction_count = int32_t(params.size() - first);
  uint64_t written = (uint64_t(1) << code.inputs) - 1;
  for (int i = 0; i < code.instruction_count; ++i) {
    const double number = params[first + size_t(i)];
    require(number >= 0 && number < 1099511627776.0);
    const auto packed = uint64_t(number);
    const auto byte = [&](int index) { return uint8_t(packed >> (8 * index)); };
    require(byte(0) < kFormulaOps && byte(1) >= code.inputs && byte(1) < code.registers);
    FormulaInstruction& instruction = code.instructions[i];
    instruction = {FormulaOp(byte(0)), byte(1), {byte(2), byte(3), byte(4)}};
    bool any_register = false;
    for (int k = 0; k < operand_count(instruction.op); ++k) {
      const int operand = instruction.operands[k];
      if (operand < kFirstConstant) {
        require(operand < code.registers && (written >> operand & 1) != 0);
        any_register = true;
      } else {
        require(operand - kFirstConstant < code.constant_count);
      }
    }
    // What is known beforehand was worked out beforehand, but for a formula that is a constant.
    require(any_register || instruction.op == FormulaOp::kMove);
    written |= uint64_t(1) << instruction.result;
  }
  return code;
}

// Rough flops of an element.
inline int64_t cost_of(const FormulaCode& code) {
  int64_t cost = 0;
  for (int i = 0; i < code.instruction_count; ++i) {
    const FormulaOp op = code.instructions[i].op;
    const bool cheap = op < FormulaOp::kSqrt || (op >= FormulaOp::kFloor && op != FormulaOp::kPower);
    cost += cheap ? 1 : 12;
  }
  return cost;
}

}  // namespace selfnorm
