// The tape: which ops ran on tensors that depend on the ones being differentiated, and how to walk back through them.
//
// Tapes nest. Every op is offered to each active tape, so an inner gradient's own backward pass is recorded by the outer
// tape: that is all second derivatives need.
import { closeScope, madeInScope, onTapeQuestion, openScope, tensorsInScope, track } from '../tensor/scope.js';
import { onDispose, type Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';

/**
 * Gradients of the inputs from the gradients of the outputs (null: none came); null for an input that has none. `wanted`
 * says which inputs somebody differentiates by: the gradients of the others are not looked at.
 */
export type Backward = (dys: readonly (Tensor | null)[], wanted: readonly boolean[]) => readonly (Tensor | null)[];

interface Entry {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly backward: Backward;
  /** For each variable among the inputs, how often it had been assigned. */
  readonly assignments: readonly (readonly [Variable, number])[] | null;
}

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

  offer(outputs: readonly Tensor[], inputs: readonly Tensor[], backward: Backward, readsInputs: boolean): void {
    let depends = false;
    for (const input of inputs) {
      if (this.watched(input)) {
        this.used.add(input);
        depends = true;
      } else if (this.reached.has(input)) depends = true;
    }
    if (!depends) return;
    let assignments: [Variable, number][] | null = null;
    if (readsInputs) {
      for (const input of inputs) if (isVariable(input)) (assignments ??= []).push([input, input.assignments]);
    }
    this.entries.push({ outputs, inputs, backward, assignments });
    for (const output of outputs) this.reached.add(output);
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
   * little more than what forward left behind.
   */
  gradients(y: Tensor, dy: Tensor, add: (a: Tensor, b: Tensor) => Tensor): ReadonlyMap<Tensor, Tensor> {
    const wants = (input: Tensor): boolean => this.reached.has(input) || this.watched(input);
    // An outer tape may have recorded what backward does: its tensors stay.
    const gradients = tapes.length > 0 ? new GradientTable(null) : new GradientTable(tensorsInScope());
    gradients.add(y, dy, add);
    const firstPlaces = this.firstPlaces();
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const { outputs, inputs, backward, assignments } = this.entries[i]!;
      let any = false;
      const dys = outputs.map((output) => {
        const gradient = gradients.get(output) ?? null;
        any ||= gradient !== null;
        return gradient;
      });
      if (any) {
        for (const [variable, count] of assignments ?? []) variable.assertUnchanged(count);
        const wanted = inputs.map(wants);
        const dxs = gradients.making(() => backward(dys, wanted));
        for (let k = 0; k < inputs.length; k++) {
          const dx = dxs[k];
          if (dx !== null && dx !== undefined && wanted[k]) gradients.add(inputs[k]!, dx, add);
        }
        gradients.settle(dxs);
      }
      for (const output of outputs) {
        const passed =
          firstPlaces.get(output) === i && output !== y && !this.named.has(output) && !this.watched(output);
        if (passed) gradients.pass(output);
      }
    }
    return gradients.byTensor;
  }

  /** The first entry each tensor appears in: before it, nobody knows of it. */
  private firstPlaces(): ReadonlyMap<Tensor, number> {
    const places = new Map<Tensor, number>();
    this.entries.forEach(({ inputs, outputs }, i) => {
      for (const list of [inputs, outputs]) for (const tensor of list) if (!places.has(tensor)) places.set(tensor, i);
    });
    return places;
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

/** Gradients while they accumulate. It frees those that nobody will ask for, and results of ops whose turn is over. */
class GradientTable {
  readonly byTensor = new Map<Tensor, Tensor>();
  /** How many tensors have it as their gradient: backward may hand one and the same to several. */
  private readonly holders = new Map<Tensor, number>();
  /** Made by backward, so that nobody else holds them. */
  private readonly made = new Set<Tensor>();

  /** @param ours What forward made and the scope would free; null: nothing may be freed. */
  constructor(private readonly ours: ReadonlySet<Tensor> | null) {}

  get(tensor: Tensor): Tensor | undefined {
    return this.byTensor.get(tensor);
  }

  /** Runs a part of backward, and frees what it makes save the results. */
  making(body: () => readonly (Tensor | null)[]): readonly (Tensor | null)[] {
    if (this.ours === null) return body();
    openScope();
    let results: readonly (Tensor | null)[] = [];
    try {
      results = body();
      for (const result of results) if (result !== null && madeInScope(result)) this.made.add(result);
      return results;
    } finally {
      closeScope(results.filter((result) => result !== null));
    }
  }

  /** Adds to a tensor's gradient. */
  add(tensor: Tensor, gradient: Tensor, add: (a: Tensor, b: Tensor) => Tensor): void {
    const before = this.byTensor.get(tensor);
    const sum = before === undefined ? gradient : this.making(() => [add(before, gradient)])[0]!;
    this.byTensor.set(tensor, sum);
    this.holders.set(sum, (this.holders.get(sum) ?? 0) + 1);
    if (before !== undefined) this.letGo(before);
  }

  /** Frees results of backward that became part of a sum, or that nobody wanted. */
  settle(results: readonly (Tensor | null)[]): void {
    for (const result of results) if (result !== null && !this.holders.has(result)) this.free(result);
  }

  /** The tensor's turn is over: its gradient is not needed any more, nor are its values. */
  pass(tensor: Tensor): void {
    if (this.ours === null) return;
    const gradient = this.byTensor.get(tensor);
    this.byTensor.delete(tensor);
    if (gradient !== undefined) this.letGo(gradient);
    // A gradient that a function of the user's gave may be the very tensor.
    if (this.ours.has(tensor) && !tensor.kept && !this.holders.has(tensor)) tensor.dispose();
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

const tapes: Tape[] = [];
/** Tapes before this one are paused by withoutRecording(): they see no op, but still need the tensors they hold. */
let firstActive = 0;

/** True while some gradient is being taken: ops ask before they build a backward function. */
export function isRecording(): boolean {
  return tapes.length > firstActive;
}

/**
 * Offers an op that just ran to every active tape.
 * @param readsInputs False when backward needs no input's values, so that a variable among them may change before it runs.
 */
export function record(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  backward: Backward,
  readsInputs = true,
): void {
  for (let i = firstActive; i < tapes.length; i++) tapes[i]!.offer(outputs, inputs, backward, readsInputs);
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
