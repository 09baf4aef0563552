// A step that is taken again and again: eagerly the first time, which makes whatever it keeps, recorded the second, and
// replayed from then on. Steps of other shapes are recorded beside it.
import { isRecording } from '../autograd/tape.js';
import type { Backend } from '../tensor/backend.js';
import { isRecordingProgram, record, type RecordedProgram } from '../tensor/recording.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { warnEager } from './warnings.js';

/** How often a step was taken, and its Program once there is one; null: it cannot be recorded. */
interface Entry {
  runs: number;
  program: RecordedProgram | null | undefined;
}

/** Steps by the shapes of their arguments. */
export class StepProgram {
  private readonly entries = new Map<string, Entry>();
  private readonly started = new Set<RecordedProgram>();

  /**
   * @param name What a warning calls it.
   * @param step A synchronous function of tensors that changes nothing but variables.
   * @param runEagerly Whether nothing is recorded.
   */
  constructor(
    private readonly name: string,
    private readonly step: (args: Tensor[]) => Tensor[],
    private readonly runEagerly = false,
  ) {}

  /**
   * Takes the step. A replay's results are there at once, and computed while JavaScript goes on.
   * @param key Tells steps apart whose arguments have the same shapes.
   * @returns The results, and whether they are a replay's.
   */
  take(backend: Backend, args: readonly Tensor[], key = ''): { results: Tensor[]; replayed: boolean } {
    // Part of a step that is being recorded itself, or differentiated.
    if (this.runEagerly || isRecordingProgram() || isRecording())
      return { results: this.eagerly(args), replayed: false };
    const entry = this.entryFor(backend, args, key);
    entry.runs++;
    if (entry.program) {
      this.started.add(entry.program);
      return { results: entry.program.start(args), replayed: true };
    }
    if (entry.runs !== 2) return { results: this.eagerly(args), replayed: false };
    const { results, program, refusal } = record(backend, args, this.step);
    entry.program = program;
    if (refusal !== null) warnEager(this.name, refusal);
    return { results, replayed: false };
  }

  private eagerly(args: readonly Tensor[]): Tensor[] {
    return tidy(() => this.step([...args]));
  }

  private entryFor({ ordinal }: Backend, args: readonly Tensor[], key: string): Entry {
    const shapes = args.map(({ shape, dtype }) => `${dtype}[${shape.join(',')}]`).join(' ');
    const name = `${ordinal} ${key} ${shapes}`;
    let entry = this.entries.get(name);
    if (entry === undefined) this.entries.set(name, (entry = { runs: 0, program: undefined }));
    return entry;
  }

  /** Throws what a replay since the last check failed with. */
  check(): void {
    const started = [...this.started];
    this.started.clear();
    for (const program of started) program.check();
  }

  /** The Programs there are. */
  get programs(): RecordedProgram[] {
    return [...this.entries.values()].flatMap(({ program }) => (program ? [program] : []));
  }

  /** Frees the Programs: what the step does has changed, or it is not taken any more. */
  clear(): void {
    for (const program of this.programs) program.dispose();
    this.entries.clear();
    this.started.clear();
  }
}
