// A formula as a graph: equal parts are one node, so that a derivative stays about as large as its formula and is computed once
// where it occurs twice.

/** What nodes compute, in the order of the native table (cuda/ops/formula_code.h). */
export const OPERATION_NAMES = [
  ...(['move', 'neg', 'abs', 'sign', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'tanh'] as const),
  ...(['sigmoid', 'softplus', 'erf', 'sin', 'cos', 'floor'] as const),
  ...(['add', 'sub', 'mul', 'div', 'pow', 'min', 'max', 'less', 'lessEqual', 'equal', 'notEqual'] as const),
  'where',
] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];

export interface Constant {
  readonly kind: 'constant';
  readonly value: number;
}
export interface Variable {
  readonly kind: 'variable';
  readonly name: string;
}
export interface Call {
  readonly kind: 'call';
  readonly operation: OperationName;
  readonly operands: readonly Expression[];
}
export type Expression = Constant | Variable | Call;

/** Makes nodes, equal ones once. */
export class Expressions {
  private readonly nodes = new Map<string, Expression>();
  private readonly numbers = new Map<Expression, number>();

  constant(value: number): Constant {
    return this.node(`c${Object.is(value, -0) ? '-0' : value}`, () => ({ kind: 'constant', value }));
  }
  variable(name: string): Variable {
    return this.node(`v${name}`, () => ({ kind: 'variable', name }));
  }
  /** As written: nothing is worked out, but a minus before a number belongs to it. */
  raw(operation: OperationName, ...operands: Expression[]): Expression {
    const [first] = operands;
    if (operation === 'neg' && first?.kind === 'constant') return this.constant(-first.value);
    const key = `${operation}(${operands.map((operand) => this.numbers.get(operand)).join(',')})`;
    return this.node<Call>(key, () => ({ kind: 'call', operation, operands }));
  }

  private node<E extends Expression>(key: string, make: () => E): E {
    const known = this.nodes.get(key);
    if (known !== undefined) return known as E;
    const made = make();
    this.nodes.set(key, made);
    this.numbers.set(made, this.numbers.size);
    return made;
  }
}

/** Every node below and including the given one, operands first, each once. */
export function inOrder(root: Expression): Expression[] {
  const order: Expression[] = [];
  const seen = new Set<Expression>();
  // A stack of its own: a chain of a thousand sums must not be a thousand calls deep.
  const stack: { node: Expression; next: number }[] = [{ node: root, next: 0 }];
  seen.add(root);
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const operand = top.node.kind === 'call' ? top.node.operands[top.next++] : undefined;
    if (operand === undefined) {
      order.push(top.node);
      stack.pop();
    } else if (!seen.has(operand)) {
      seen.add(operand);
      stack.push({ node: operand, next: 0 });
    }
  }
  return order;
}

/** The names of the variables that occur. */
export function variablesOf(root: Expression): Set<string> {
  return new Set(inOrder(root).flatMap((node) => (node.kind === 'variable' ? [node.name] : [])));
}
