// The tape: which ops ran on tensors that depend on the ones being differentiated, and how to walk back through them.
//
// Tapes nest. Every op is offered to each active tape, so an inner gradient's own backward pass is recorded by the outer
// tape: that is all second derivatives need.
import { onTapeQuestion, tensorsInScope, track } from '../tensor/scope.js';
import { onDispose, type Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { Descent, GradientTable, type InputGradient } from './gradient-table.js';

/** An activation that made a tensor: the gradient by the tensor goes through its derivative first. */
export interface Slope {
  /** What the derivative takes; null: it is the identity's. */
  readonly saved: Tensor | null;
  /** The stamp of the dropout behind the activation; null: none. */
  readonly stamp: Tensor | null;
  /** Native parameters: the activation's row and its own, then the dropout's. */
  readonly parameters: readonly number[];
  /** The bias in front of the activation, whose gradient is the sum of the columns; null: none. */
  readonly bias: Tensor | null;
}

/** What an op's backward may do beyond giving an input's gradient, as it suits the op. */
export interface Offer {
  /** Give a Descent through this activation, which made the input for this op alone. */
  readonly slope: Slope | null;
  /** Add to this gradient of the input's in place, and give it. */
  readonly sum: Tensor | null;
}

/**
 * Gradients of the inputs from the gradients of the outputs (null: none came); null for an input that has none. `wanted`
 * says which inputs somebody differentiates by: the gradients of the others are not looked at. `offers` says what may be
 * given in place of the plain gradient of each input.
 */
export type Backward = (
  dys: readonly (Tensor | null)[],
  wanted: readonly boolean[],
  offers: readonly Offer[],
) => readonly InputGradient[];

/** What a tape knows of an op beside its gradient. */
export interface Traits {
  /** False when backward needs no input's values, so that a variable among them may change before it runs. */
  readonly readsInputs?: boolean;
  /** The result is the input in another shape. */
  readonly isView?: boolean;
  /** The result is the sum of the input over these axes, which are dropped where the rank says so. */
  readonly sumOver?: readonly number[];
  /** The op ends with this activation, and can go on from a gradient that has come through it. */
  readonly below?: {
    readonly slope: Slope;
    readonly backward: (
      descent: Descent,
      wanted: readonly boolean[],
      offers: readonly Offer[],
    ) => readonly InputGradient[];
  };
}

interface Entry {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly backward: Backward;
  readonly traits: Traits;
  /** For each variable among the inputs, how often it had been assigned. */
  readonly assignments: readonly (readonly [Variable, number])[] | null;
}

/** What the ops of a tape do with a tensor. */
interface Uses {
  readonly first: number;
  madeBy: Entry | null;
  times: number;
}

const NO_OFFER: Offer = { slope: null, sum: null };
const NO_TRAITS: Traits = {};

const isVariable = (x: Tensor): x is Variable => x instanceof Variable;

export class Tape {
  private readonly entries: Entry[] = [];
  private readonly reached = new Set<Tensor>();
  /** Those given to watch(): their gradients are asked for. */
  private readonly named = new Set<Tensor>();
  private readonly deferred: Tensor[] = [];

  /** @param watched Asked of every input: true for tensors to differentiate by that were not named (variables). */
  constructor(private readonly watched: (tensor: Tensor) => boolean = () => false) {}

  watch(tensor: Tensor): void {
    this.reached.add(tensor);
    this.named.add(tensor);
  }
  /** Watched tensors that an op has used. */
  readonly used = new Set<Tensor>();

  offer(outputs: readonly Tensor[], inputs: readonly Tensor[], backward: Backward, traits: Traits): void {
    let depends = false;
    for (const input of inputs) {
      if (this.watched(input)) {
        this.used.add(input);
        depends = true;
      } else if (this.reached.has(input)) depends = true;
    }
    if (!depends) return;
    let assignments: [Variable, number][] | null = null;
    if (traits.readsInputs !== false) {
      for (const input of inputs) if (isVariable(input)) (assignments ??= []).push([input, input.assignments]);
    }
    this.entries.push({ outputs, inputs, backward, traits, assignments });
    for (const output of outputs) this.reached.add(output);
  }

  /** What was recorded, in order. */
  get ops(): readonly Pick<Entry, 'outputs' | 'inputs' | 'traits'>[] {
    return this.entries;
  }

  /** Told of f's result, which may be a watched tensor that no op has used. */
  see(tensor: Tensor): void {
    if (this.watched(tensor)) this.used.add(tensor);
  }

  defer(tensor: Tensor): void {
    this.deferred.push(tensor);
  }

  /**
   * Gradients of `y` with respect to watched tensors, starting from `dy`. Each result of an op is freed with its gradient as
   * soon as backward has passed it, if the innermost scope would free it anyway: so the most memory that a step takes is
   * little more than what forward left behind. `onComplete` is told of a watched tensor's gradient when no op is left that adds to it.
   */
  gradients(
    y: Tensor,
    dy: Tensor,
    add: (a: Tensor, b: Tensor) => Tensor,
    onComplete?: (x: Tensor, gradient: Tensor) => void,
  ): ReadonlyMap<Tensor, Tensor> {
    const asked = (tensor: Tensor): boolean => tensor === y || this.named.has(tensor) || this.watched(tensor);
    const wants = (input: Tensor): boolean => this.reached.has(input) || this.watched(input);
    // An outer tape may have recorded what backward does: its tensors stay.
    const gradients = tapes.length > 0 ? new GradientTable(null) : new GradientTable(tensorsInScope());
    gradients.add(y, dy, add);
    const uses = this.uses();
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const entry = this.entries[i]!;
      this.descendThrough(entry, gradients, wants, (input) => this.maker(input, uses, asked), add);
      for (const output of entry.outputs) {
        if (uses.get(output)!.first === i && !asked(output)) gradients.pass(output);
      }
      if (onComplete === undefined) continue;
      for (const input of new Set(entry.inputs)) {
        const gradient = uses.get(input)!.first === i && this.watched(input) ? gradients.get(input) : undefined;
        if (gradient !== undefined) onComplete(input, gradient);
      }
    }
    return gradients.byTensor;
  }

  /** One op's backward, if a gradient has come to it: gives the gradients of its inputs to the table. */
  private descendThrough(
    { outputs, inputs, backward, traits, assignments }: Entry,
    gradients: GradientTable,
    wants: (input: Tensor) => boolean,
    makerOf: (input: Tensor) => Entry | null,
    add: (a: Tensor, b: Tensor) => Tensor,
  ): void {
    const dys = outputs.map((output) => gradients.get(output) ?? null);
    const descent = gradients.descentOf(outputs[0]!);
    if (descent === undefined && dys.every((dy) => dy === null)) return;
    for (const [variable, count] of assignments ?? []) variable.assertUnchanged(count);
    const wanted = inputs.map(wants);
    const makers = inputs.map((input, k) => (wanted[k] && gradients.isPrivate ? makerOf(input) : null));
    const offers = inputs.map((input, k) => {
      const sum = wanted[k] ? gradients.growing(input) : null;
      const slope = makers[k]?.traits.below?.slope ?? null;
      return sum === null && slope === null ? NO_OFFER : { slope, sum };
    });
    const dxs = gradients.making<InputGradient>(() => {
      const given =
        descent === undefined ? backward(dys, wanted, offers) : traits.below!.backward(descent, wanted, offers);
      return given.map((dx, k) => (dx instanceof Descent ? dx.shapedAs(makers[k]!.outputs[0]!) : dx));
    });
    inputs.forEach((input, k) => {
      const dx = dxs[k];
      if (dx === null || dx === undefined || !wanted[k]) return;
      if (dx instanceof Descent) gradients.descend(makers[k]!.outputs[0]!, dx);
      else gradients.add(input, dx, add);
    });
    gradients.settle(dxs);
  }

  /** Where each tensor first appears, before which nobody knows of it, what made it, and how often ops take it. */
  private uses(): ReadonlyMap<Tensor, Uses> {
    const all = new Map<Tensor, Uses>();
    const of = (tensor: Tensor, first: number): Uses => {
      let uses = all.get(tensor);
      if (uses === undefined) all.set(tensor, (uses = { first, madeBy: null, times: 0 }));
      return uses;
    };
    this.entries.forEach((entry, i) => {
      for (const input of entry.inputs) of(input, i).times++;
      for (const output of entry.outputs) of(output, i).madeBy ??= entry;
    });
    return all;
  }

  /**
   * The op with an activation that made `input`, maybe seen through views, when nobody else looks at its results: then its
   * gradient may be taken together with that of the op that took the input.
   */
  private maker(input: Tensor, uses: ReadonlyMap<Tensor, Uses>, asked: (tensor: Tensor) => boolean): Entry | null {
    for (let tensor = input; ;) {
      const { madeBy, times } = uses.get(tensor)!;
      if (madeBy === null || times !== 1 || asked(tensor)) return null;
      if (madeBy.traits.below !== undefined) {
        return madeBy.outputs.slice(1).every((other) => uses.get(other)!.times === 0) ? madeBy : null;
      }
      const [from] = madeBy.inputs;
      // Columns stay columns.
      if (madeBy.traits.isView !== true || from!.shape.at(-1) !== tensor.shape.at(-1)) return null;
      tensor = from!;
    }
  }

  /** Frees what user code disposed of while the tape needed it; the rest passes to the enclosing tidy scope. */
  close(): void {
    for (const tensor of this.deferred) {
      if (tensor.isDisposed) continue;
      if (tapes.length > 0) track(tensor);
      else tensor.release();
    }
  }
}

const tapes: Tape[] = [];
/** Tapes before this one are paused by withoutRecording(): they see no op, but still need the tensors they hold. */
let firstActive = 0;

/** True while some gradient is being taken: ops ask before they build a backward function. */
export function isRecording(): boolean {
  return tapes.length > firstActive;
}

/** Offers an op that just ran to every active tape. */
export function record(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  backward: Backward,
  traits: Traits = NO_TRAITS,
): void {
  for (let i = firstActive; i < tapes.length; i++) tapes[i]!.offer(outputs, inputs, backward, traits);
}

/** Runs `body` with `tape` recording as well. */
export function withTape<T>(tape: Tape, body: () => T): T {
  tapes.push(tape);
  try {
    return body();
  } finally {
    tapes.splice(tapes.lastIndexOf(tape), 1);
  }
}

/** Runs `body` unseen by every tape. */
export function withoutRecording<T>(body: () => T): T {
  const before = firstActive;
  firstActive = tapes.length;
  try {
    return body();
  } finally {
    firstActive = before;
  }
}

onTapeQuestion(() => tapes.length > 0);
// A backward function may have captured the tensor: it is freed when the outermost gradient is done.
onDispose((tensor) => {
  tapes[0]?.defer(tensor);
  return tapes.length > 0;
});
