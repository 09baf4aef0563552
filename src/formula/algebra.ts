// Makes expressions and works out what is known beforehand: constants, and sums and products that change nothing. A factor of 0
// stays, since 0 times infinity is no number; derivatives leave such terms out before they are made.
import {
  Expressions,
  inOrder,
  type Constant,
  type Expression,
  type OperationName,
  type Variable,
} from './expression.js';
import { isTest, operation } from './instructions.js';

const isNumber = (e: Expression, value: number): boolean => e.kind === 'constant' && e.value === value;

export class Algebra {
  private readonly nodes = new Expressions();

  constant(value: number): Constant {
    return this.nodes.constant(value);
  }
  variable(name: string): Variable {
    return this.nodes.variable(name);
  }
  call(name: OperationName, ...operands: Expression[]): Expression {
    if (operands.every((operand) => operand.kind === 'constant')) {
      return this.constant(operation(name).evaluate(...operands.map((operand) => operand.value)));
    }
    const [a, b, c] = operands as [Expression, Expression, Expression];
    switch (name) {
      case 'move':
        return a;
      case 'neg':
        return a.kind === 'call' && a.operation === 'neg' ? a.operands[0]! : this.nodes.raw('neg', a);
      case 'add':
        if (isNumber(a, 0)) return b;
        if (isNumber(b, 0)) return a;
        break;
      case 'sub':
        if (isNumber(b, 0)) return a;
        if (isNumber(a, 0)) return this.call('neg', b);
        break;
      case 'mul':
        if (isNumber(a, 1)) return b;
        if (isNumber(b, 1)) return a;
        if (isNumber(a, -1)) return this.call('neg', b);
        if (isNumber(b, -1)) return this.call('neg', a);
        break;
      case 'div':
        if (isNumber(b, 1)) return a;
        break;
      case 'pow':
        if (isNumber(b, 0)) return this.constant(1);
        if (isNumber(b, 1)) return a;
        break;
      case 'where':
        if (a.kind === 'constant') return a.value !== 0 ? b : c;
        if (b === c || (isTest(a) && isNumber(b, 1) && isNumber(c, 0))) return b === c ? b : a;
        break;
    }
    return this.nodes.raw(name, ...operands);
  }

  add(a: Expression, b: Expression): Expression {
    return this.call('add', a, b);
  }
  sub(a: Expression, b: Expression): Expression {
    return this.call('sub', a, b);
  }
  mul(a: Expression, b: Expression): Expression {
    return this.call('mul', a, b);
  }
  div(a: Expression, b: Expression): Expression {
    return this.call('div', a, b);
  }
  pow(a: Expression, b: Expression): Expression {
    return this.call('pow', a, b);
  }
  neg(a: Expression): Expression {
    return this.call('neg', a);
  }
  where(condition: Expression, a: Expression, b: Expression): Expression {
    return this.call('where', condition, a, b);
  }

  /** The expression with numbers in place of variables, and with what follows from them. */
  substitute(root: Expression, values: Readonly<Record<string, number>>): Expression {
    return this.rebuild(root, (node, operands) => {
      if (node.kind === 'call') return this.call(node.operation, ...operands);
      if (node.kind === 'constant') return this.constant(node.value);
      const value = Object.hasOwn(values, node.name) ? values[node.name] : undefined;
      return value === undefined ? this.variable(node.name) : this.constant(value);
    });
  }

  /** Powers with small whole exponents as products: a power takes as long as ten of those. */
  withoutSmallPowers(root: Expression): Expression {
    return this.rebuild(root, (node, operands) => {
      if (node.kind !== 'call') return node;
      const [base, exponent] = operands;
      if (node.operation === 'pow' && exponent?.kind === 'constant') {
        const { value } = exponent;
        if (Number.isInteger(value) && Math.abs(value) <= 16) {
          const product = this.product(base!, Math.abs(value));
          return value < 0 ? this.div(this.constant(1), product) : product;
        }
      }
      return this.call(node.operation, ...operands);
    });
  }

  private product(base: Expression, times: number): Expression {
    if (times === 0) return this.constant(1);
    if (times === 1) return base;
    const half = this.product(base, times >> 1);
    const square = this.mul(half, half);
    return times % 2 === 0 ? square : this.mul(square, base);
  }

  private rebuild(root: Expression, make: (node: Expression, operands: Expression[]) => Expression): Expression {
    const made = new Map<Expression, Expression>();
    for (const node of inOrder(root)) {
      const operands = node.kind === 'call' ? node.operands.map((operand) => made.get(operand)!) : [];
      made.set(node, make(node, operands));
    }
    return made.get(root)!;
  }

  /** The derivative by a variable. */
  derivative(root: Expression, variable: string): Expression {
    const zero = this.constant(0);
    const slopes = new Map<Expression, Expression>();
    for (const node of inOrder(root)) {
      if (node.kind !== 'call') {
        slopes.set(node, node.kind === 'variable' && node.name === variable ? this.constant(1) : zero);
        continue;
      }
      const inner = node.operands.map((operand) => slopes.get(operand)!);
      if (inner.every((slope) => slope === zero)) {
        slopes.set(node, zero);
        continue;
      }
      slopes.set(node, this.chain(node.operation, node.operands, inner, node));
    }
    return slopes.get(root)!;
  }

  private chain(
    name: OperationName,
    operands: readonly Expression[],
    inner: readonly Expression[],
    result: Expression,
  ): Expression {
    const zero = this.constant(0);
    const { choice, partials } = operation(name);
    if (choice !== undefined) {
      const [condition, first, second] = choice(this, operands);
      return this.where(condition, inner[first]!, inner[second]!);
    }
    let sum: Expression = zero;
    partials?.(this, operands, result).forEach((partial, i) => {
      const slope = inner[i]!;
      if (partial === null || slope === zero || isNumber(partial, 0)) return;
      const term = this.mul(partial, slope);
      // a + -b as a - b.
      sum =
        term.kind === 'call' && term.operation === 'neg' && sum !== zero
          ? this.sub(sum, term.operands[0]!)
          : this.add(sum, term);
    });
    return sum;
  }
}
