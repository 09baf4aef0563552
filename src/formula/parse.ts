// Formulas as people write them, to expressions:
//   choice   = or ['?' choice ':' choice]        or = and {'||' and}        and = test {'&&' test}
//   test     = sum [('<' | '<=' | '>' | '>=' | '==' | '!=') sum]
//   sum      = product {('+' | '-') product}     product = signed {('*' | '/') signed}
//   signed   = ('-' | '+' | '!') signed | power  power = primary ['^' signed]
//   primary  = number | name | function '(' choice {',' choice} ')' | '(' choice ')'
// A comparison is 1 or 0, and what is not 0 is true.
import { invalid } from '../errors.js';
import { Expressions, type Expression, type OperationName } from './expression.js';
import { formulaError } from './formula-error.js';
import { FUNCTIONS, isTest, operation } from './instructions.js';
import { tokensOf, type Token } from './tokens.js';

/** What nobody writes by hand; a parser that calls itself has to end somewhere. */
const LONGEST = 2000;
const DEEPEST = 100;

/** Numbers that formulas call by name. */
export const NUMBERS: ReadonlyMap<string, number> = new Map([['pi', Math.PI]]);

/** Where a formula stands: for errors, and which names it may use. */
export interface FormulaContext {
  /** Whose it is: `activation 'swishish'`. */
  readonly op: string;
  /** Which one: `forward`. */
  readonly argument: string;
  /** Names of variables and parameters. */
  readonly names: readonly string[];
  /** More about names that are known elsewhere. */
  readonly hints?: Readonly<Record<string, string>>;
}

const COMPARISONS: Readonly<Record<string, (a: Expression, b: Expression) => [OperationName, Expression, Expression]>> =
  {
    '<': (a, b) => ['less', a, b],
    '<=': (a, b) => ['lessEqual', a, b],
    '>': (a, b) => ['less', b, a],
    '>=': (a, b) => ['lessEqual', b, a],
    '==': (a, b) => ['equal', a, b],
    '!=': (a, b) => ['notEqual', a, b],
  };

const describe = ({ kind, text }: Token): string => (kind === 'end' ? 'the end of the formula' : `'${text}'`);

class Parser {
  private readonly tokens: Token[];
  private position = 0;
  private depth = 0;

  constructor(
    private readonly formula: string,
    private readonly context: FormulaContext,
    private readonly e: Expressions,
  ) {
    this.tokens = tokensOf(formula, (at, what) => this.error(at, what));
  }

  whole(): Expression {
    if (this.ended) throw this.error(0, 'expected a formula, got an empty one');
    const found = this.choice();
    if (!this.ended) throw this.unexpected();
    return found;
  }

  private get token(): Token {
    return this.tokens[this.position]!;
  }
  private get ended(): boolean {
    return this.token.kind === 'end';
  }
  private error(at: number, what: string): Error {
    return formulaError(this.context.op, this.context.argument, this.formula, at, what);
  }
  private take(...signs: string[]): Token | undefined {
    const { token } = this;
    if (token.kind !== 'sign' || !signs.includes(token.text)) return undefined;
    this.position++;
    return token;
  }
  private deeper<T>(parse: () => T): T {
    if (++this.depth > DEEPEST) {
      throw this.error(this.token.at, `nested too deeply: expected at most ${DEEPEST} levels`);
    }
    const found = parse();
    this.depth--;
    return found;
  }

  private choice(): Expression {
    return this.deeper(() => {
      const condition = this.or();
      if (!this.take('?')) return condition;
      const yes = this.choice();
      if (!this.take(':')) throw this.error(this.token.at, `expected ':' of a choice, got ${describe(this.token)}`);
      return this.e.raw('where', condition, yes, this.choice());
    });
  }
  private or(): Expression {
    let left = this.and();
    while (this.take('||')) left = this.e.raw('where', left, this.e.constant(1), this.truth(this.and()));
    return left;
  }
  private and(): Expression {
    let left = this.test();
    while (this.take('&&')) left = this.e.raw('where', left, this.truth(this.test()), this.e.constant(0));
    return left;
  }
  private truth(value: Expression): Expression {
    return isTest(value) ? value : this.e.raw('notEqual', value, this.e.constant(0));
  }
  private test(): Expression {
    const left = this.sum();
    const signs = Object.keys(COMPARISONS);
    const sign = this.take(...signs);
    if (sign === undefined) return left;
    const found = this.e.raw(...COMPARISONS[sign.text]!(left, this.sum()));
    const another = this.take(...signs);
    if (another !== undefined) {
      throw this.error(another.at, "comparisons do not chain: expected '&&' between two, as in 'a < x && x < b'");
    }
    return found;
  }
  private sum(): Expression {
    let left = this.product();
    for (let sign = this.take('+', '-'); sign !== undefined; sign = this.take('+', '-')) {
      left = this.e.raw(sign.text === '+' ? 'add' : 'sub', left, this.product());
    }
    return left;
  }
  private product(): Expression {
    let left = this.signed();
    for (let sign = this.take('*', '/'); sign !== undefined; sign = this.take('*', '/')) {
      left = this.e.raw(sign.text === '*' ? 'mul' : 'div', left, this.signed());
    }
    return left;
  }
  private signed(): Expression {
    const sign = this.take('-', '+', '!');
    if (sign === undefined) return this.power();
    const operand = this.deeper(() => this.signed());
    if (sign.text === '+') return operand;
    return sign.text === '-' ? this.e.raw('neg', operand) : this.e.raw('equal', operand, this.e.constant(0));
  }
  private power(): Expression {
    const base = this.primary();
    return this.take('^', '**')
      ? this.e.raw(
          'pow',
          base,
          this.deeper(() => this.signed()),
        )
      : base;
  }

  private primary(): Expression {
    const { token } = this;
    if (token.kind === 'number') return this.number(token);
    if (token.kind === 'name') return this.named(token);
    const open = this.take('(');
    if (open === undefined) throw this.error(token.at, `expected a value, got ${describe(token)}`);
    const inside = this.choice();
    this.close(open);
    return inside;
  }
  private number(token: Token): Expression {
    const value = Number(token.text);
    if (!Number.isFinite(value)) throw this.error(token.at, 'expected a finite number');
    this.position++;
    return this.e.constant(value);
  }
  private named(token: Token): Expression {
    const { names, hints = {} } = this.context;
    this.position++;
    const { text } = token;
    const called = this.token.kind === 'sign' && this.token.text === '(';
    const known = names.includes(text) || NUMBERS.has(text);
    if (known && !called) {
      const number = names.includes(text) ? undefined : NUMBERS.get(text);
      return number === undefined ? this.e.variable(text) : this.e.constant(number);
    }
    if (known) throw this.error(this.token.at, `'${text}' is no function: expected '*' before the parenthesis`);
    const name = FUNCTIONS.get(text);
    if (name === undefined) {
      const list = called ? [...FUNCTIONS.keys()] : [...names, ...NUMBERS.keys()];
      const hint = Object.hasOwn(hints, text) ? hints[text] : undefined;
      const what = called ? 'function' : 'name';
      throw this.error(token.at, `unknown ${what} '${text}': ${hint ?? `expected one of ${list.join(', ')}`}`);
    }
    if (!called) throw this.error(this.token.at, `'${text}' is a function: expected '(' behind it`);
    return this.call(token, name);
  }
  private call(token: Token, name: OperationName): Expression {
    const open = this.take('(')!;
    const operands: Expression[] = [];
    if (!(this.token.kind === 'sign' && this.token.text === ')')) {
      do operands.push(this.choice());
      while (this.take(','));
    }
    this.close(open);
    const { arity } = operation(name);
    if (operands.length !== arity) {
      const expected = arity === 1 ? '1 argument' : `${arity} arguments`;
      throw this.error(token.at, `${token.text}: expected ${expected}, got ${operands.length}`);
    }
    return this.e.raw(name, ...operands);
  }
  private close(open: Token): void {
    if (this.take(')')) return;
    if (this.ended) throw this.error(open.at, "this parenthesis is not closed: expected a ')'");
    throw this.unexpected();
  }
  private unexpected(): Error {
    const { token } = this;
    if (token.text === ')') return this.error(token.at, 'no parenthesis is open here: expected an operator or the end');
    const value = token.kind === 'name' || token.kind === 'number' || token.text === '(';
    const hint = value ? ", as '*'" : '';
    return this.error(token.at, `expected an operator${hint}, got ${describe(token)}`);
  }
}

/**
 * The expression that a formula is, as it is written.
 * @throws ArgumentError with the formula and a caret under the fault.
 */
export function parseFormula(formula: string, context: FormulaContext, e = new Expressions()): Expression {
  if (typeof formula !== 'string') {
    throw invalid('ERR_ARGUMENT', context.op, context.argument, 'a formula, as a string', formula);
  }
  if (formula.length > LONGEST) {
    const got = `${formula.length} characters`;
    throw formulaError(context.op, context.argument, formula, LONGEST, `expected at most ${LONGEST}, got ${got}`);
  }
  return new Parser(formula, context, e).whole();
}
