// The tape: which ops ran on tensors that depend on the ones being differentiated, and how to walk back through them.
//
// Tapes nest. Every op is offered to each active tape, so an inner gradient's own backward pass is recorded by the outer
// tape: that is all second derivatives need.
import { onTapeQuestion, track } from '../tensor/scope.js';
import { onDispose, type Tensor } from '../tensor/tensor.js';

/** Gradients of the inputs from the gradients of the outputs (null: none came); null for an input that has none. */
export type Backward = (dys: readonly (Tensor | null)[]) => readonly (Tensor | null)[];

interface Entry {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly backward: Backward;
}

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

  offer(outputs: readonly Tensor[], inputs: readonly Tensor[], backward: Backward): void {
    let depends = false;
    for (const input of inputs) {
      if (this.watched(input)) {
        this.used.add(input);
        depends = true;
      } else if (this.reached.has(input)) depends = true;
    }
    if (!depends) return;
    this.entries.push({ outputs, inputs, backward });
    for (const output of outputs) this.reached.add(output);
  }

  defer(tensor: Tensor): void {
    this.deferred.push(tensor);
  }

  /** Gradients of `y` with respect to every tensor on the way, starting from `dy`. */
  gradients(y: Tensor, dy: Tensor, add: (a: Tensor, b: Tensor) => Tensor): Map<Tensor, Tensor> {
    const gradients = new Map<Tensor, Tensor>([[y, dy]]);
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const { outputs, inputs, backward } = this.entries[i]!;
      let any = false;
      const dys = outputs.map((output) => {
        const gradient = gradients.get(output) ?? null;
        any ||= gradient !== null;
        return gradient;
      });
      if (!any) continue;
      const dxs = backward(dys);
      for (let k = 0; k < inputs.length; k++) {
        const dx = dxs[k];
        const input = inputs[k]!;
        if (dx === null || dx === undefined || !(this.reached.has(input) || this.watched(input))) continue;
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
      if (isRecording()) track(tensor);
      else tensor.release();
    }
  }
}

const tapes: Tape[] = [];

/** True while some gradient is being taken: ops ask before they build a backward function. */
export function isRecording(): boolean {
  return tapes.length > 0;
}

/** Offers an op that just ran to every active tape. */
export function record(outputs: readonly Tensor[], inputs: readonly Tensor[], backward: Backward): void {
  for (const tape of tapes) tape.offer(outputs, inputs, backward);
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
  const paused = tapes.splice(0, tapes.length);
  try {
    return body();
  } finally {
    tapes.push(...paused);
  }
}

onTapeQuestion(isRecording);
// A backward function may have captured the tensor: it is freed when the outermost gradient is done.
onDispose((tensor) => {
  tapes[0]?.defer(tensor);
  return tapes.length > 0;
});
