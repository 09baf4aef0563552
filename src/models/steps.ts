// Steps on batches, recorded and replayed: training's, or validation's and evaluation's. Replays run ahead of JavaScript by
// a few milliseconds, so that the device always has work and the event loop is free.
import { setImmediate as turn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { StepProgram } from '../program/step-program.js';
import type { Backend } from '../tensor/backend.js';
import { currentBackend } from '../tensor/device.js';
import { settled } from '../tensor/recording.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batch } from './batches.js';
import type { InputForm } from './input-form.js';
import type { RunningSums } from './running-sums.js';
import type { Trained } from './step.js';
import type { Samples } from './training-data.js';

/** All that a recorded step has fixed: where it changes, steps are recorded anew. */
export function stepKey({ model, weights }: Trained): string {
  const layers = model.layers.map(({ trainable }) => (trainable ? 1 : 0)).join('');
  return `${weights.map(({ variable }) => variable.id).join()} ${layers} ${JSON.stringify(model.getConfig())}`;
}

/** Milliseconds of steps that are given to the device at once. */
const SHORTEST_RUN = 4;
const LONGEST_RUN = 12;

/** How far steps run ahead: two runs of them at most are under way. */
class Pace {
  private length = 1;
  private given = 0;
  private started = 0;
  private before: Promise<void> | null = null;

  async next(backend: Backend): Promise<void> {
    if (++this.given < this.length) return;
    const { before } = this;
    const end = settled(backend);
    // Awaited a run later; a failure is told then.
    end.catch(() => undefined);
    this.before = end;
    this.given = 0;
    await before;
    const now = performance.now();
    const took = now - this.started;
    this.started = now;
    if (before === null) return;
    if (took < SHORTEST_RUN) this.length *= 2;
    else if (took > LONGEST_RUN) this.length = Math.max(1, this.length >> 1);
  }
}

/** Steps of one kind, on batches of one source. */
export class Steps {
  private readonly program: StepProgram;
  private readonly countsOf = new Map<string, readonly number[]>();
  private key = '';
  private batch: Batch | null = null;
  private backend: Backend | null = null;
  private pace = new Pace();

  /**
   * @param name What a warning calls them.
   * @param forms What the model's inputs take.
   * @param step What is done with a batch's samples; adds to `sums`.
   * @param runEagerly Whether nothing is recorded.
   */
  constructor(
    name: string,
    private readonly sums: RunningSums,
    forms: () => readonly InputForm[],
    step: (samples: Samples) => void,
    runEagerly: boolean,
  ) {
    const onBatch = (args: Tensor[]): Tensor[] => {
      step(this.batch!.samples(args, forms()));
      return [];
    };
    this.program = new StepProgram(name, onBatch, runEagerly);
  }

  /** Says what steps depend on besides their batches, in words that change when it does. */
  follow(key: string): void {
    if (key !== this.key) this.program.clear();
    this.key = key;
  }

  /** Takes a step, without waiting for it. The answer: whether it is a replay. */
  start(batch: Batch): boolean {
    const args = batch.args();
    this.batch = batch;
    this.backend = args[0]?.backend ?? currentBackend();
    const { replayed } = this.program.take(this.backend, args, batch.key);
    for (const arg of args) arg.dispose();
    const counted = `${batch.size} ${batch.key}`;
    if (replayed) this.sums.count(this.countsOf.get(counted)!);
    else this.countsOf.set(counted, this.sums.lastCounts);
    return replayed;
  }

  /** Takes a step and gives the event loop its turn. */
  async take(batch: Batch): Promise<void> {
    if (this.start(batch)) await this.pace.next(this.backend!);
    else await turn();
  }

  /** Throws what a replay failed with; after its results were read. */
  check(): void {
    this.program.check();
    this.pace = new Pace();
  }

  /** Frees what was recorded. */
  dispose(): void {
    this.program.clear();
  }
}
