// Expressions to the instructions of the native op `formula`: registers that are used again as soon as their value has been read
// for the last time, so that those of a block stay in the first-level cache.
import { failure } from '../errors.js';
import type { Algebra } from './algebra.js';
import { inOrder, type Expression, type OperationName } from './expression.js';
import { operation, OPERATION_INDEX } from './instructions.js';

/** Limits of the native side (cuda/ops/formula_code.h). */
const MOST_INSTRUCTIONS = 256;
const MOST_CONSTANTS = 64;
const MOST_REGISTERS = 64;
const FIRST_CONSTANT = 128;

/** One instruction. Operands below 128 are registers, the first of which are the inputs; those above are constants. */
export interface Instruction {
  readonly operation: OperationName;
  readonly result: number;
  readonly operands: readonly number[];
}

/** A formula that is ready to run. */
export interface CompiledFormula {
  readonly inputs: number;
  readonly registers: number;
  readonly constants: readonly number[];
  readonly instructions: readonly Instruction[];
}

/**
 * Instructions for an expression of the given variables.
 * @param op Named in errors.
 * @throws ArgumentError for what takes more instructions than a kernel has.
 */
export function compileFormula(op: string, e: Algebra, given: Expression, inputs: readonly string[]): CompiledFormula {
  const root = e.withoutSmallPowers(given);
  const order = inOrder(root).filter((node) => node.kind === 'call');
  const constants: number[] = [];
  const registers = new Map<Expression, number>();
  const free: number[] = [];
  let made = inputs.length;
  const constant = (value: number): number => {
    let index = constants.findIndex((known) => Object.is(known, value));
    if (index < 0) index = constants.push(value) - 1;
    return FIRST_CONSTANT + index;
  };
  const place = (node: Expression): number => {
    if (node.kind === 'constant') return constant(node.value);
    return node.kind === 'variable' ? inputs.indexOf(node.name) : registers.get(node)!;
  };
  const lastUse = new Map<Expression, number>();
  order.forEach((node, index) => node.operands.forEach((operand) => lastUse.set(operand, index)));

  const instructions: Instruction[] = order.map((node, index) => {
    const operands = node.operands.map(place);
    for (const operand of new Set(node.operands)) {
      const register = registers.get(operand);
      if (register !== undefined && lastUse.get(operand) === index) free.push(register);
    }
    const result = free.pop() ?? made++;
    registers.set(node, result);
    return { operation: node.operation, result, operands };
  });
  if (instructions.length === 0) instructions.push({ operation: 'move', result: made++, operands: [place(root)] });
  if (instructions.length > MOST_INSTRUCTIONS || constants.length > MOST_CONSTANTS || made > MOST_REGISTERS) {
    const got = `${instructions.length} with ${constants.length} constants and ${made} values at once`;
    const most = `${MOST_INSTRUCTIONS} operations with ${MOST_CONSTANTS} constants and ${MOST_REGISTERS} values at once`;
    throw failure('ERR_ARGUMENT', op, `too complex: expected at most ${most}, got ${got}`);
  }
  return { inputs: inputs.length, registers: made, constants, instructions };
}

/** The parameters of the native op: an instruction is a number with a byte for operation, result and each operand. */
export function nativeParameters({ registers, constants, instructions }: CompiledFormula): number[] {
  const packed = instructions.map(({ operation: name, result, operands }) =>
    operands.reduce((sum, operand, i) => sum + operand * 2 ** (16 + 8 * i), OPERATION_INDEX.get(name)! + result * 256),
  );
  return [registers, constants.length, ...constants, ...packed];
}

/** The formula in float64, as the native op computes it. */
export function evaluateFormula(
  { registers, constants, instructions }: CompiledFormula,
  inputs: readonly number[],
): number {
  const values = new Float64Array(registers);
  values.set(inputs);
  let last = NaN;
  for (const { operation: name, result, operands } of instructions) {
    last = operation(name).evaluate(
      ...operands.map((place) => (place < FIRST_CONSTANT ? values[place]! : constants[place - FIRST_CONSTANT]!)),
    );
    values[result] = last;
  }
  return last;
}
