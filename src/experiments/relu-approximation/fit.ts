// The document's task, for many starts at once: f(a x + b) c + d is fitted to ReLU on [-0.5, 0.5] by Adam on the mean absolute
// difference. Parameters are tensors [starts, 1] and the loss is the sum over starts: Adam works on each number by itself, so
// every start takes the very steps that it would take alone.
import { keep, tidy } from '../../tensor/memory.js';
import { variable, type Variable } from '../../tensor/variable.js';
import type { Tensor } from '../../tensor/tensor.js';
import { abs } from '../../ops/elementwise.js';
import { add, mul, sub } from '../../ops/arithmetic.js';
import { mean, sum } from '../../ops/reductions.js';
import { linspace } from '../../ops/ranges.js';
import { randomUniform } from '../../ops/random.js';
import { clone } from '../../ops/reshape.js';
import { relu } from '../../ops/activations.js';
import { adam } from '../../train.js';
import { Interrupted } from '../experiment.js';
import type { Approximator } from './activations.js';
import { median } from '../median.js';
import { shapesOf, type Shape } from './shapes.js';

/** The range of x. */
export const RANGE: readonly [number, number] = [-0.5, 0.5];
/** Points of the fixed grid. */
export const GRID_POINTS = 256;
/** The error of the best straight line, on the whole range: 1/16. */
export const LINE_ERROR = 1 / 16;
/** Steps whose median error counts as the error at the end. */
const LAST_STEPS = 100;
/** Steps between two looks at the clock of the process: signals are heard then. */
const YIELD_EVERY = 50;

/** Where a fit starts: a, b, c, d. */
export type Start = readonly [a: number, b: number, c: number, d: number];

/** A fit to do. */
export interface FitPlan {
  readonly approximator: Approximator;
  readonly starts: readonly Start[];
  readonly steps: number;
  readonly learningRate: number;
  /** The same 256 points at every step, or so many fresh random ones for each start. */
  readonly batch: 'grid' | number;
  /** Steps, ascending, after which errors are kept: each the median over the steps since the mark before. */
  readonly marks?: readonly number[];
}

/** What came of a fit. Lists are by start. */
export interface Fitted {
  /** The median error of the last hundred steps. */
  readonly errors: readonly number[];
  /** What the learnt function is. */
  readonly shapes: readonly Shape[];
  /** By mark. */
  readonly errorsAt: readonly Float32Array[];
  /** By mark: the parameters, a to d and then f's own, a list of starts each. */
  readonly parametersAt: readonly (readonly Float32Array[])[];
}

/** What a fit tells while it goes on. */
export interface FitWatch {
  readonly signal: AbortSignal;
  readonly onSteps: (done: number) => void;
}

/** The fixed grid, `count` points. */
export const gridOf = (count: number): Tensor => linspace(RANGE[0], RANGE[1], count);

/** f(a x + b) c + d, [starts, points]. */
export function evaluate({ apply }: Approximator, parameters: readonly Tensor[], x: Tensor): Tensor {
  const [a, b, c, d, ...own] = parameters as [Tensor, Tensor, Tensor, Tensor, ...Tensor[]];
  return add(mul(apply(add(mul(x, a), b), own), c), d);
}

/** A parameter of all starts: [starts, 1]. */
const column = (values: readonly number[]): number[][] => values.map((value) => [value]);

function variablesOf({ approximator, starts }: FitPlan): Variable[] {
  const own = approximator.ownStart.map((value) => starts.map(() => value));
  return [...[0, 1, 2, 3].map((i) => starts.map((start) => start[i]!)), ...own].map((values) =>
    variable(column(values)),
  );
}

/** Errors of some steps. Their median is taken, since now and then a step of 0.1 jumps off. */
class ErrorWindow {
  private readonly steps: Tensor[] = [];

  add(errors: Tensor): void {
    this.steps.push(keep(clone(errors)));
  }
  /** The median of each start's errors; the window is empty then. */
  take(): Float32Array {
    const lists = this.steps.map((errors) => errors.dataSync());
    this.dispose();
    return Float32Array.from(lists[0]!, (_, start) => median(lists.map((list) => list[start]!)));
  }
  dispose(): void {
    for (const errors of this.steps.splice(0)) errors.dispose();
  }
}

/**
 * Fits from every start.
 * @throws Interrupted when the signal says so; nothing of it is kept then.
 */
export async function fit(plan: FitPlan, watch: FitWatch): Promise<Fitted> {
  const { approximator, steps, learningRate, batch, starts } = plan;
  const marks = new Set(plan.marks ?? []);
  const variables = variablesOf(plan);
  const optimizer = adam(learningRate);
  const grid = keep(gridOf(GRID_POINTS));
  const target = keep(relu(grid));
  const [sinceMark, last] = [new ErrorWindow(), new ErrorWindow()];
  const errorsAt: Float32Array[] = [];
  const parametersAt: Float32Array[][] = [];
  try {
    const mark = (step: number): void => {
      if (!marks.has(step)) return;
      errorsAt.push(sinceMark.take());
      parametersAt.push(variables.map((parameter) => parameter.dataSync() as Float32Array));
    };
    let errors: Tensor;
    const loss = (): Tensor => {
      const x = batch === 'grid' ? grid : randomUniform([starts.length, batch], RANGE[0], RANGE[1]);
      const y = batch === 'grid' ? target : relu(x);
      errors = keep(mean(abs(sub(evaluate(approximator, variables, x), y)), 1));
      return sum(errors);
    };
    for (let step = 1; step <= steps; step++) {
      optimizer.minimize(loss, false, variables);
      if (marks.size > 0) sinceMark.add(errors!);
      if (step > steps - LAST_STEPS) last.add(errors!);
      errors!.dispose();
      mark(step);
      if (step % YIELD_EVERY === 0 || step === steps) {
        watch.onSteps(step);
        await new Promise(setImmediate);
        if (watch.signal.aborted) throw new Interrupted();
      }
    }
    const atEnd = [...last.take()];
    const shapes = tidy(() => shapesOf(evaluate(approximator, variables, grid), grid, atEnd));
    return { errors: atEnd, shapes, errorsAt, parametersAt };
  } finally {
    for (const each of [sinceMark, last, optimizer, grid, target, ...variables]) each.dispose();
  }
}
