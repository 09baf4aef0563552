// A function as a layer. Where the options do not tell its output's shape, the function is asked: it is tried on zeros.
import { Tape, withoutRecording, withTape } from '../autograd/tape.js';
import { failure, invalid } from '../errors.js';
import { zeros } from '../ops/creation.js';
import { tidy } from '../tensor/memory.js';
import { sizeOf } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { Layer, type CallContext, type LayerConfig } from './layer.js';
import { registerLayer } from './registry.js';
import { checkSymbolicShape, formatShapes, type SymbolicShape } from './symbolic.js';

/** Options of layers.lambda. X is `Tensor`, or `Tensor[]` for several inputs. */
export interface LambdaConfig<X extends Tensor | Tensor[] = Tensor> extends LayerConfig {
  /** Gets the input, or an array of them where there are several, and `{training}`; gives one tensor. */
  fn: (inputs: X, context: CallContext) => Tensor;
  /**
   * Shape of the output without the batch axis, null for any size; or a function from the inputs' shapes to the output's, both
   * with the batch axis. Left out, `fn` is tried on zeros of the inputs' shapes.
   */
  outputShape?: SymbolicShape | ((...inputShapes: SymbolicShape[]) => SymbolicShape) | null | undefined;
}

/** Sizes that stand for unknown ones when the function is tried: what differs between two trials is unknown as well. */
const TRIALS = [2, 3] as const;
/** Elements of the largest input that is tried: 1 GiB of floats. */
const MOST_TRIED = 2 ** 28;

/** A function of tensors. */
export class Lambda extends Layer {
  static override readonly className = 'Lambda';
  private readonly fn: (inputs: Tensor | Tensor[], context: CallContext) => unknown;
  private readonly shapeOption: Exclude<LambdaConfig['outputShape'], undefined>;

  constructor(config: LambdaConfig = {} as LambdaConfig) {
    super(config);
    const { fn, outputShape = null } = config;
    if (typeof fn !== 'function') {
      const fix = 'files do not keep functions: make the model in code, and load its weights';
      throw invalid('ERR_ARGUMENT', this.name, 'fn', 'a function from tensors to a tensor', fn, fix);
    }
    if (outputShape !== null && typeof outputShape !== 'function') {
      checkSymbolicShape(this.name, 'outputShape', outputShape);
    }
    this.fn = fn as unknown as typeof this.fn;
    this.shapeOption = outputShape;
  }

  override computeOutputShape(shapes: readonly SymbolicShape[]): SymbolicShape {
    const { shapeOption } = this;
    if (shapeOption === null) return this.triedShape(shapes);
    if (typeof shapeOption !== 'function') return [shapes[0]?.[0] ?? null, ...shapeOption.map((size) => size ?? null)];
    const shape: unknown = shapeOption(...shapes);
    checkSymbolicShape(this.name, 'the result of outputShape', shape);
    return shape.map((size) => size ?? null);
  }

  private triedShape(shapes: readonly SymbolicShape[]): SymbolicShape {
    const known = shapes.every((shape) => !shape.includes(null));
    const [first, second] = (known ? TRIALS.slice(0, 1) : TRIALS).map((unknown) => this.trial(shapes, unknown));
    if (second === undefined) return first!;
    if (first!.length !== second.length) throw this.unclear(shapes, 'a result whose rank does not depend on sizes');
    return first!.map((size, axis) => (size === second[axis] ? size : null));
  }

  /** Shape of the result where unknown sizes are `unknown`. */
  private trial(shapes: readonly SymbolicShape[], unknown: number): readonly number[] {
    const sizes = shapes.map((shape) => shape.map((size) => size ?? unknown));
    if (sizes.some((shape) => sizeOf(shape) > MOST_TRIED)) throw this.unclear(shapes, 'a smaller input to try it on');
    try {
      const inputs = (): Tensor[] => sizes.map((shape) => zeros(shape, this.computeDType));
      return withoutRecording(() => tidy(() => this.call(inputs(), { training: false }).shape));
    } catch (error) {
      throw this.unclear(shapes, 'a function that zeros can be given to', error);
    }
  }

  private unclear(shapes: readonly SymbolicShape[], expected: string, error?: unknown): Error {
    const reason = error instanceof Error ? ` (${error.message})` : '';
    return failure(
      'ERR_SHAPE',
      this.name,
      `fn: expected ${expected} for input ${formatShapes(shapes)}${reason}; give outputShape`,
    );
  }

  override call(inputs: readonly Tensor[], context: CallContext): Tensor {
    const y = this.fn(inputs.length === 1 ? inputs[0]! : [...inputs], context);
    if (y instanceof Tensor) return y as Tensor;
    throw invalid('ERR_ARGUMENT', this.name, 'fn', 'a function that returns one tensor', y);
  }

  /**
   * @internal Whether the function of x [batch, time, width] is the sum over time and nothing else. It is asked of the
   * function's ops on one sample of zeros, once for sizes and phase.
   */
  sumsTime(time: number, width: number, training: boolean): boolean {
    const key = [time, width, training].join();
    let sums = this.knownSums.get(key);
    if (sums === undefined) this.knownSums.set(key, (sums = this.triedSum(time, width, training)));
    return sums;
  }
  private readonly knownSums = new Map<string, boolean>();

  private triedSum(time: number, width: number, training: boolean): boolean {
    const tape = new Tape();
    return tidy(() => {
      const x = zeros([1, time, width], this.computeDType);
      tape.watch(x);
      try {
        const y = withoutRecording(() => withTape(tape, () => this.fn(x, { training })));
        const [op, another] = tape.ops;
        const isOp = op?.inputs[0] === x && op.outputs[0] === y && another === undefined;
        return isOp && op.traits.sumOver?.join() === '1' && op.outputs[0]!.rank === 2;
      } finally {
        tape.close();
      }
    });
  }

  /** Without the function, which JSON cannot hold: a model with the layer is saved, but can only be made again in code. */
  override getConfig(): Record<string, unknown> {
    const { shapeOption } = this;
    return { ...super.getConfig(), outputShape: typeof shapeOption === 'function' ? null : shapeOption };
  }
}
registerLayer(Lambda);

/**
 * A function of tensors as a layer: `fn(x, {training})` gives a tensor of the same batch. Made of ops, it is differentiated like
 * any layer; variables inside it are not the layer's weights. Files keep the layer without its function.
 * @example sn.layers.lambda({fn: (x) => x.square()})
 * @example sn.layers.lambda({fn: ([u, v]: sn.Tensor[]) => u.sub(v).abs()}).apply([first, second])
 */
export const lambda = <X extends Tensor | Tensor[] = Tensor>(config: LambdaConfig<X>): Lambda =>
  new Lambda(config as unknown as LambdaConfig);
