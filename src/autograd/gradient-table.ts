// Gradients on their way back through a tape: whose they are, who still holds them, and when their memory goes.
import { closeScope, madeInScope, openScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import { makeView, type Tensor } from '../tensor/tensor.js';

/**
 * A gradient that is already through the activation below and, where that has one, its bias: what a product's backward can
 * give in one pass for an input that an activation made.
 */
export class Descent {
  constructor(
    readonly dz: Tensor,
    /** The bias's gradient; null: there is no bias. */
    readonly dBias: Tensor | null,
  ) {}

  /** For the tensor itself, which the op may have seen through views. */
  shapedAs({ shape }: Tensor): Descent {
    return sameShape(shape, this.dz.shape) ? this : new Descent(makeView(this.dz, shape), this.dBias);
  }
}

/** What backward gives for an input; null: nothing. */
export type InputGradient = Tensor | Descent | null;

const tensorsOf = (gradient: InputGradient): readonly Tensor[] => {
  if (gradient === null) return [];
  if (!(gradient instanceof Descent)) return [gradient];
  return gradient.dBias === null ? [gradient.dz] : [gradient.dz, gradient.dBias];
};

/** Results of backward whose memory is theirs alone, so that more may be added to it in place. */
const unshared = new WeakSet<Tensor>();

/** Says of a gradient that an op just made that no other tensor shares its memory. */
export function asUnshared(gradient: Tensor): Tensor {
  unshared.add(gradient);
  return gradient;
}

/** Gradients while they accumulate. It frees those that nobody will ask for, and results of ops whose turn is over. */
export class GradientTable {
  readonly byTensor = new Map<Tensor, Tensor>();
  private readonly descents = new Map<Tensor, Descent>();
  /** How many tensors have it as their gradient: backward may hand one and the same to several. */
  private readonly holders = new Map<Tensor, number>();
  /** Made by backward, so that nobody else holds them. */
  private readonly made = new Set<Tensor>();

  /** @param ours What forward made and the scope would free; null: nothing may be freed. */
  constructor(private readonly ours: ReadonlySet<Tensor> | null) {}

  get(tensor: Tensor): Tensor | undefined {
    return this.byTensor.get(tensor);
  }

  /** Whether nobody but this table sees what backward does. */
  get isPrivate(): boolean {
    return this.ours !== null;
  }

  /** The gradient of a tensor if more of it may be added in place: made by backward, held for this tensor alone. */
  growing(tensor: Tensor): Tensor | null {
    const gradient = this.byTensor.get(tensor);
    const mine = gradient !== undefined && this.made.has(gradient) && unshared.has(gradient);
    return mine && this.holders.get(gradient) === 1 ? gradient : null;
  }

  /** Runs a part of backward, and frees what it makes save the results. */
  making<R extends InputGradient>(body: () => readonly R[]): readonly R[] {
    if (this.ours === null) return body();
    openScope();
    let results: readonly R[] = [];
    try {
      results = body();
      for (const result of results.flatMap(tensorsOf)) if (madeInScope(result)) this.made.add(result);
      return results;
    } finally {
      closeScope(results.flatMap(tensorsOf));
    }
  }

  /** Adds to a tensor's gradient; nothing is left to do where backward added to it in place. */
  add(tensor: Tensor, gradient: Tensor, add: (a: Tensor, b: Tensor) => Tensor): void {
    const before = this.byTensor.get(tensor);
    if (before === gradient && this.growing(tensor) === gradient) return;
    const sum = before === undefined ? gradient : this.making(() => [add(before, gradient)])[0]!;
    this.byTensor.set(tensor, sum);
    this.hold(sum);
    if (before !== undefined) this.letGo(before);
  }

  /** Keeps a gradient that has come down to what made the tensor, until its turn. */
  descend(tensor: Tensor, descent: Descent): void {
    this.descents.set(tensor, descent);
    for (const part of tensorsOf(descent)) this.hold(part);
  }

  descentOf(tensor: Tensor): Descent | undefined {
    return this.descents.get(tensor);
  }

  /** Frees results of backward that became part of a sum, or that nobody wanted. */
  settle(results: readonly InputGradient[]): void {
    for (const result of results.flatMap(tensorsOf)) if (!this.holders.has(result)) this.free(result);
  }

  /** The tensor's turn is over: its gradient is not needed any more, nor are its values. */
  pass(tensor: Tensor): void {
    const descent = this.descents.get(tensor);
    this.descents.delete(tensor);
    if (descent !== undefined) for (const part of tensorsOf(descent)) this.letGo(part);
    if (this.ours === null) return;
    const gradient = this.byTensor.get(tensor);
    this.byTensor.delete(tensor);
    if (gradient !== undefined) this.letGo(gradient);
    // A gradient that a function of the user's gave may be the very tensor.
    if (this.ours.has(tensor) && !tensor.kept && !this.holders.has(tensor)) tensor.dispose();
  }

  private hold(gradient: Tensor): void {
    this.holders.set(gradient, (this.holders.get(gradient) ?? 0) + 1);
  }
  private letGo(gradient: Tensor): void {
    const left = this.holders.get(gradient)! - 1;
    if (left > 0) this.holders.set(gradient, left);
    else {
      this.holders.delete(gradient);
      this.free(gradient);
    }
  }
  private free(gradient: Tensor): void {
    if (this.made.delete(gradient) && !gradient.kept) gradient.dispose();
  }
}
