// A formula of tensors of one shape, as one kernel. Its gradients are formulas again, so it can be differentiated as often as
// one likes.
import { isRecording, record } from '../autograd/tape.js';
import { failure } from '../errors.js';
import type { Algebra } from '../formula/algebra.js';
import { compileFormula, nativeParameters } from '../formula/compile.js';
import { variablesOf, type Expression } from '../formula/expression.js';
import { NativeOp } from '../tensor/backend.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const FORMULA = new NativeOp('formula');

/** Inputs of a kernel; each order of derivatives takes one more. */
const MOST_INPUTS = 8;

/** An expression as a function of tensors. */
export class FormulaFunction {
  private readonly used: readonly number[];
  private compiled: readonly number[] | undefined;
  private readonly gradients = new Map<number, FormulaFunction | null>();

  /**
   * @param op Named in errors.
   * @param names The variables, in the order of the tensors that stand for them.
   */
  constructor(
    private readonly op: string,
    private readonly e: Algebra,
    private readonly expression: Expression,
    private readonly names: readonly string[],
  ) {
    const occurring = variablesOf(expression);
    this.used = names.flatMap((name, i) => (occurring.has(name) ? [i] : []));
  }

  /** Whether the value depends on the tensor of that place. */
  uses(place: number): boolean {
    return this.used.includes(place);
  }

  private get parameters(): readonly number[] {
    if (this.compiled === undefined) {
      if (this.used.length > MOST_INPUTS) {
        throw failure('ERR_ARGUMENT', this.op, `derivatives of that order take more than ${MOST_INPUTS} tensors`);
      }
      const inputs = this.used.map((place) => this.names[place]!);
      this.compiled = nativeParameters(compileFormula(this.op, this.e, this.expression, inputs));
    }
    return this.compiled;
  }

  /** The value, of which the tapes hear nothing: for a function whose gradient is another's business. */
  value(tensors: readonly (Tensor | null)[], like: Tensor): Tensor {
    const inputs = this.used.map((place) => tensors[place]!);
    return makeOne(like.backend, FORMULA, inputs, like.shape, like.dtype, this.parameters);
  }

  /** The value for tensors of one shape, dtype and device; `like` tells them where the value depends on none. */
  apply(tensors: readonly (Tensor | null)[], like: Tensor): Tensor {
    const inputs = this.used.map((place) => tensors[place]!);
    const y = this.value(tensors, like);
    if (isRecording() && inputs.length > 0) {
      const kept = tensors.map((tensor, place) => (this.uses(place) ? tensor : null));
      record([y], inputs, ([dy], wanted) =>
        this.used.map((place, i) =>
          dy == null || !wanted[i] ? null : (this.gradient(place)?.apply([dy, ...kept], dy) ?? null),
        ),
      );
    }
    return y;
  }

  /** dy times the derivative by one variable, as a function of dy and the variables; null where that is 0. */
  gradient(place: number): FormulaFunction | null {
    const known = this.gradients.get(place);
    if (known !== undefined) return known;
    const { e } = this;
    const slope = e.derivative(this.expression, this.names[place]!);
    const nothing = slope.kind === 'constant' && slope.value === 0;
    // A name that no formula can have.
    const names = [`d'${this.names.length}`, ...this.names];
    const made = nothing ? null : new FormulaFunction(this.op, e, e.mul(e.variable(names[0]!), slope), names);
    this.gradients.set(place, made);
    return made;
  }
}
