// Recording a step and replaying it. While a step is recorded it runs as ever, and the native side notes its calls; what
// comes out does the same again in one call, without JavaScript (binding/recording.h, binding/programs.h).
import { fromNative } from '../errors.js';
import type { NativeProgram, NativeProgramFacts } from '../native/addon.js';
import { NativeOp, type Backend } from './backend.js';
import type { DType } from './dtype.js';
import { makeOne, Tensor } from './tensor.js';
import { tidy } from './memory.js';
import { withoutScope } from './scope.js';
import type { Shape } from './shape.js';

const ASSIGN = new NativeOp('assign');

interface Signature {
  readonly shape: Shape;
  readonly dtype: DType;
}

let recording: Backend | null = null;

/** Whether a step is being recorded: work that is recorded in itself runs as part of it. */
export const isRecordingProgram = (): boolean => recording !== null;

/** A recorded step. Every replay takes tensors of the shapes it was recorded with, and gives new ones. */
export class RecordedProgram {
  constructor(
    readonly backend: Backend,
    private native: NativeProgram | null,
    private readonly results: readonly Signature[],
  ) {}

  /** Kernel launches of a replay, and its memory in bytes. */
  get facts(): NativeProgramFacts {
    return this.backend.addon.describeProgram(this.native!);
  }

  /**
   * Starts a replay and returns its results at once: whoever reads them, or computes with them, waits. The arguments may be
   * disposed of as soon as this returns.
   */
  start(args: readonly Tensor[]): Tensor[] {
    const { backend } = this;
    const results = this.results.map(({ shape, dtype }) => new Tensor<Shape>(backend, shape, dtype));
    const { frame } = backend;
    args.forEach(({ id }, i) => (frame[i] = id));
    try {
      backend.addon.replay(this.native!, ...results);
    } catch (error) {
      throw fromNative('program', error);
    }
    results.forEach((result, i) => (result.id = frame[i]!));
    return results;
  }

  /** Throws what a replay failed with. */
  check(): void {
    try {
      this.backend.addon.checkProgram(this.native!);
    } catch (error) {
      throw fromNative('program', error);
    }
  }

  /** Frees its memory once replays under way are done. */
  dispose(): void {
    if (this.native !== null) this.backend.addon.disposeProgram(this.native);
    this.native = null;
  }
}

/** Resolves when the device has done what it was given so far. The event loop stays free. */
export async function settled({ addon, queue }: Backend): Promise<void> {
  try {
    await addon.settle(queue);
  } catch (error) {
    throw fromNative('program', error);
  }
}

/** What recording gave: the step's results of this one run, and the Program, or why there is none. */
export interface Recorded {
  readonly results: Tensor[];
  readonly program: RecordedProgram | null;
  readonly refusal: string | null;
}

/** Starts noting on a backend; arguments that a Program cannot tell apart are copied first. */
function begin(backend: Backend, args: readonly Tensor[], copies: Tensor[]): Tensor[] {
  const passed = [...args];
  for (;;) {
    backend.frame[0] = passed.length;
    passed.forEach(({ id }, i) => (backend.frame[1 + i] = id));
    const shared = backend.addon.recordBegin(backend.queue);
    if (shared < 0) return passed;
    const { shape, dtype } = passed[shared]!;
    passed[shared] = withoutScope(() => makeOne(backend, ASSIGN, [passed[shared]!], shape, dtype));
    copies.push(passed[shared]);
  }
}

/**
 * Runs `step` once and records it. Whatever it makes but its results is freed.
 * @param step A synchronous function of the arguments; what it changes must be variables.
 */
export function record(backend: Backend, args: readonly Tensor[], step: (args: Tensor[]) => Tensor[]): Recorded {
  const copies: Tensor[] = [];
  const passed = begin(backend, args, copies);
  recording = backend;
  try {
    const results = tidy(() => {
      const given = step(passed);
      // A result that the step did not make, or that others hold too, is copied in every replay.
      return given.map((result, i) => {
        const shared = result.kept || given.indexOf(result) !== i || !backend.addon.recordedHere(result.id);
        return shared ? makeOne(backend, ASSIGN, [result], result.shape, result.dtype) : result;
      });
    });
    backend.frame[0] = results.length;
    results.forEach(({ id }, i) => (backend.frame[1 + i] = id));
    const made = backend.addon.recordEnd();
    if (typeof made === 'string') return { results, program: null, refusal: made };
    const signatures = results.map(({ shape, dtype }) => ({ shape, dtype }));
    return { results, program: new RecordedProgram(backend, made, signatures), refusal: null };
  } finally {
    recording = null;
    backend.addon.recordCancel();
    for (const copy of copies) copy.dispose();
  }
}
