// An expression as a formula that parses to the same expression, with no more parentheses than it needs.
import { inOrder, type Expression, type OperationName } from './expression.js';
import { operation } from './instructions.js';

/** How tightly an operator binds, as in parse.ts. */
const TEST = 3;
const SUM = 4;
const PRODUCT = 5;
const SIGNED = 6;
const POWER = 7;
const PRIMARY = 8;

interface Written {
  readonly text: string;
  readonly binds: number;
}

/** Sign, how tightly it binds, and how tightly what stands on each side has to. */
const OPERATORS: Partial<Record<OperationName, readonly [sign: string, binds: number, left: number, right: number]>> = {
  less: ['<', TEST, SUM, SUM],
  lessEqual: ['<=', TEST, SUM, SUM],
  equal: ['==', TEST, SUM, SUM],
  notEqual: ['!=', TEST, SUM, SUM],
  add: ['+', SUM, SUM, PRODUCT],
  sub: ['-', SUM, SUM, PRODUCT],
  mul: ['*', PRODUCT, PRODUCT, SIGNED],
  div: ['/', PRODUCT, PRODUCT, SIGNED],
  pow: ['^', POWER, PRIMARY, SIGNED],
};

const inside = ({ text, binds }: Written, least: number): string => (binds >= least ? text : `(${text})`);

function write(node: Expression, operands: readonly Written[]): Written {
  if (node.kind === 'variable') return { text: node.name, binds: PRIMARY };
  if (node.kind === 'constant') {
    const { value } = node;
    const negative = value < 0 || Object.is(value, -0);
    return negative ? { text: `-${-value}`, binds: SIGNED } : { text: String(value), binds: PRIMARY };
  }
  const [a, b] = operands;
  if (node.operation === 'neg') return { text: `-${inside(a!, SIGNED)}`, binds: SIGNED };
  const operator = OPERATORS[node.operation];
  if (operator !== undefined) {
    const [sign, binds, left, right] = operator;
    return { text: `${inside(a!, left)} ${sign} ${inside(b!, right)}`, binds };
  }
  const name = operation(node.operation).call ?? node.operation;
  return { text: `${name}(${operands.map(({ text }) => text).join(', ')})`, binds: PRIMARY };
}

/** The formula of an expression. */
export function printFormula(root: Expression): string {
  const written = new Map<Expression, Written>();
  for (const node of inOrder(root)) {
    const operands = node.kind === 'call' ? node.operands.map((operand) => written.get(operand)!) : [];
    written.set(node, write(node, operands));
  }
  return written.get(root)!.text;
}
