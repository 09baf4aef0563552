// The tape: which ops ran on tensors that depend on the ones being differentiated, and how to walk back through them.
//
// Tapes nest. Every op is offered to each active tape, so an inner gradient's own backward pass is recorded by the outer
// tape: that is all second derivatives need.
import { onTapeQuestion, track } from '../tensor/scope.js';
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
  private readonly deferred: Tensor[] = [];

  /** @param watched Asked of every input: true for tensors to differentiate by that were not named (variables). */
  constructor(private readonly watched: (tensor: Tensor) => boolean = () => false) {}

  watch(tensor: Tensor): void {
    this.reached.add(tensor);
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

  /** Gradients of `y` with respect to every tensor on the way, starting from `dy`. */
  gradients(y: Tensor, dy: Tensor, add: (a: Tensor, b: Tensor) => Tensor): Map<Tensor, Tensor> {
    const gradients = new Map<Tensor, Tensor>([[y, dy]]);
    const wants = (input: Tensor): boolean => this.reached.has(input) || this.watched(input);
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const { outputs, inputs, backward, assignments } = this.entries[i]!;
      let any = false;
      const dys = outputs.map((output) => {
        const gradient = gradients.get(output) ?? null;
        any ||= gradient !== null;
        return gradient;
      });
      if (!any) continue;
      for (const [variable, count] of assignments ?? []) variable.assertUnchanged(count);
      const wanted = inputs.map(wants);
      const dxs = backward(dys, wanted);
      for (let k = 0; k < inputs.length; k++) {
        const dx = dxs[k];
        const input = inputs[k]!;
        if (dx === null || dx === undefined || !wanted[k]) continue;
        const sum = gradients.get(input);
        gradients.set(input, sum === undefined ? dx : add(sum, dx));
      }
    }
    return gradients;
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
