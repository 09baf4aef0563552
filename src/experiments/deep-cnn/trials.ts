// What is trained, as data: the methods of the grid over learning rates, the document's other attempts, the sizes.
import { COLORS } from '../../report/chart.js';
import type { RunSettings, Size } from '../experiment.js';
import type { Recipe, Shape } from './network.js';

/** What takes the steps. */
export interface Stepping {
  readonly optimizer: 'adam' | 'adadelta';
  readonly learningRate: number;
  /** Adam's; 1e-7 by default, as in Keras. */
  readonly epsilon?: number;
  /** Share of a weight that a step takes off, times the learning rate. */
  readonly weightDecay?: number;
}

/** A network and what is done to its inputs. */
export interface Method {
  /** Unique; part of file names. */
  readonly key: string;
  readonly label: string;
  readonly recipe: Recipe;
  /** Inputs at mean 0 and variance 1 over the training images, in place of [0, 1]. */
  readonly standardized: boolean;
  readonly color: string;
  readonly dashed?: boolean;
}

/** Images to tell apart. */
export interface Task {
  readonly key: 'digit-pairs' | 'miniplaces' | 'photographs';
  readonly label: string;
  /** A sentence or two. */
  readonly description: string;
}

/** One training run. */
export interface Trial {
  readonly name: string;
  /** The runs of the grid, or one of the document's other attempts. */
  readonly part: 'grid' | 'attempt';
  readonly task: Task;
  readonly method: Method;
  readonly stepping: Stepping;
  readonly seed: number;
  readonly steps: number;
  /** Whether the report shows what it takes for what. */
  readonly keepsAnswers: boolean;
}

export const DIGIT_PAIRS: Task = {
  key: 'digit-pairs',
  label: 'Digit pairs',
  description:
    'Two MNIST digits of 16×16 pixels side by side on grey (0.5), 32×32 in all: real pixels, 100 classes, learnt in minutes.',
};
export const MINI_PLACES: Task = {
  key: 'miniplaces',
  label: 'MiniPlaces',
  description:
    'Photographs of 100 kinds of scenes, 32×32 grey: near the document’s Places365, and hard. Tested on the official validation set.',
};
export const PHOTOGRAPHS: Task = {
  key: 'photographs',
  label: 'Photographs',
  description:
    'Those of the folder that was named, their lightness (L of CIE Lab) from 0 to 1, as the document has it.',
};
export const TASKS: readonly Task[] = [DIGIT_PAIRS, MINI_PLACES, PHOTOGRAPHS];

const PLAIN: Recipe = {
  activation: 'selu',
  initializer: 'leCunNormal',
  centralization: 'none',
  batchNorm: false,
  alphaDropout: 0,
  output: 'softmax',
  dtype: 'float32',
};

/** As the authors of AlphaDropout advise. */
export const ALPHA_DROPOUT = 0.05;
export const WEIGHT_DECAY = 0.01;

function method(
  key: string,
  label: string,
  color: string,
  change: Partial<Recipe> = {},
  more: Partial<Pick<Method, 'standardized' | 'dashed'>> = {},
): Method {
  return { key, label, color, recipe: { ...PLAIN, ...change }, standardized: false, ...more };
}

/** The document's network as it was. */
export const SELU = method('selu', 'SELU', COLORS.vermilion);
/** The document's cure: the mean of the whole weight is taken off. */
export const TENSOR = method('selu-tensor', 'SELU, centred per tensor', COLORS.orange, { centralization: 'tensor' });
/** The sharper one: every unit's own mean is. */
export const UNIT = method('selu-unit', 'SELU, centred per unit', COLORS.blue, { centralization: 'unit' });
export const STANDARD = method('selu-standard', 'SELU, standardised', COLORS.green, {}, { standardized: true });
export const RELU = method('relu', 'ReLU', COLORS.grey, { activation: 'relu', initializer: 'heNormal' });

/** The rows of the grid. */
export const METHODS: readonly Method[] = [RELU, SELU, TENSOR, UNIT, STANDARD];

/** One of the other things the document tried, or might have. */
export interface Attempt {
  readonly method: Method;
  /** What differs from Adam at the size's learning rate. */
  readonly stepping: Partial<Stepping>;
  /** Whether a quick run does it too. */
  readonly quick: boolean;
}

const attempt = (
  key: string,
  label: string,
  change: Partial<Recipe>,
  stepping: Partial<Stepping> = {},
  quick = true,
): Attempt => ({ method: method(key, label, COLORS.vermilion, change), stepping, quick });

const adadelta = (learningRate: number): Partial<Stepping> => ({ optimizer: 'adadelta', learningRate });

/** All on inputs in [0, 1]; SELU with LeCun's initialisation and float32, where nothing else is said. */
export const ATTEMPTS: readonly Attempt[] = [
  attempt('epsilon-0.001', 'Adam, epsilon 0.001', {}, { epsilon: 1e-3 }, false),
  attempt('epsilon-0.1', 'Adam, epsilon 0.1', {}, { epsilon: 0.1 }),
  attempt('adadelta-1', 'Adadelta 1.0', {}, adadelta(1)),
  attempt('adadelta-0.1', 'Adadelta 0.1', {}, adadelta(0.1), false),
  attempt('adadelta-0.01', 'Adadelta 0.01', {}, adadelta(0.01), false),
  attempt('adadelta-0.001', 'Adadelta 0.001', {}, adadelta(0.001)),
  attempt('adadelta-1-tensor', 'Adadelta 1.0, per tensor', { centralization: 'tensor' }, adadelta(1), false),
  attempt('adadelta-1-unit', 'Adadelta 1.0, per unit', { centralization: 'unit' }, adadelta(1)),
  attempt('alpha-dropout', `AlphaDropout ${ALPHA_DROPOUT}`, { alphaDropout: ALPHA_DROPOUT }),
  attempt('weight-decay', `Weight decay ${WEIGHT_DECAY}`, {}, { weightDecay: WEIGHT_DECAY }),
  attempt('batch-norm', 'BatchNorm', { batchNorm: true }),
  attempt('logits', 'Logits', { output: 'logits' }),
  attempt('float16', 'float16', { dtype: 'mixed_float16' }),
  attempt('he', 'He’s initialisation', { initializer: 'heNormal' }, {}, false),
  attempt('elu', 'ELU, He', { activation: 'elu', initializer: 'heNormal' }, {}, false),
];

/** How much a run does. */
export interface Extent {
  readonly shape: Shape;
  readonly batchSize: number;
  /** Adam's, the columns of the grid. */
  readonly rates: readonly number[];
  /** The one at which the document's other attempts are made, and what is looked at closely. */
  readonly rate: number;
  readonly steps: number;
  /** Steps between two looks at the network. */
  readonly every: number;
  readonly seeds: number;
  /** Seeds of the other attempts. */
  readonly attemptSeeds: number;
  /** Images of each task to train and to test with, from the first on; undefined: all. */
  readonly images: number | undefined;
  readonly testImages: number | undefined;
  /** Height and width that photographs are scaled to, and how many are held in memory at most, to train and to test. */
  readonly photographs: { readonly size: number; readonly train: number; readonly test: number };
}

const DOCUMENT = { blocks: 4, convolutions: 3, dense: 3 } as const;

const SIZES: Readonly<Record<Size, Extent>> = {
  quick: {
    shape: { ...DOCUMENT, filters: 8, units: 256 },
    batchSize: 64,
    rates: [1e-3, 3e-3],
    rate: 3e-3,
    steps: 250,
    every: 25,
    seeds: 2,
    attemptSeeds: 1,
    images: undefined,
    testImages: 2000,
    photographs: { size: 32, train: 10_000, test: 2000 },
  },
  default: {
    shape: { ...DOCUMENT, filters: 16, units: 256 },
    batchSize: 64,
    rates: [3e-4, 6e-4, 1e-3, 3e-3],
    rate: 1e-3,
    steps: 600,
    every: 25,
    seeds: 3,
    attemptSeeds: 2,
    images: undefined,
    testImages: undefined,
    photographs: { size: 32, train: 40_000, test: 10_000 },
  },
  full: {
    shape: { ...DOCUMENT, filters: 64, units: 1024 },
    batchSize: 128,
    rates: [1e-4, 3e-4, 1e-3, 3e-3],
    rate: 1e-3,
    steps: 10_000,
    every: 250,
    seeds: 3,
    attemptSeeds: 3,
    images: undefined,
    testImages: undefined,
    photographs: { size: 64, train: 200_000, test: 36_500 },
  },
};

/** Scenes take longer to learn, and show what holds beyond digits at fewer learning rates. */
const SCENES: Readonly<Record<Size, Partial<Extent>>> = {
  quick: { rates: [3e-3], seeds: 1 },
  default: { rates: [3e-4, 1e-3], steps: 1200, every: 50 },
  full: { rates: [3e-4, 1e-3], steps: 30_000, every: 500 },
};

/** How much a run does of a task. A run of fewer steps than there are between two looks looks once, at its end. */
export function extentOf({ size, steps, seeds, limit }: RunSettings, task: Task): Extent {
  const usual = { ...SIZES[size], ...(task === DIGIT_PAIRS ? {} : SCENES[size]) };
  const given = steps ?? usual.steps;
  const every = Math.min(usual.every, given);
  return {
    ...usual,
    every,
    steps: every * Math.floor(given / every),
    seeds: seeds ?? usual.seeds,
    attemptSeeds: Math.min(usual.attemptSeeds, seeds ?? Infinity),
    images: limit ?? usual.images,
    testImages: limit ?? usual.testImages,
  };
}

/** Fewer images or steps leave the claims open. */
export const ENOUGH = { images: 5000, steps: SIZES.quick.steps } as const;

/** `0.0003`. */
export const rateText = (rate: number): string => String(Number(rate.toPrecision(3)));

/** The trials of a run, task by task and seed by seed, so that an early look compares like with like. */
export function trialsOf(settings: RunSettings, tasks: readonly Task[]): Trial[] {
  return tasks.flatMap((task) => {
    const { seeds } = extentOf(settings, task);
    return Array.from({ length: seeds }, (_, i) => trialsOfSeed(settings, task, i)).flat();
  });
}

function trialsOfSeed(settings: RunSettings, task: Task, i: number): Trial[] {
  const { rates, rate, steps, attemptSeeds } = extentOf(settings, task);
  const seed = settings.seed + i;
  const grid = METHODS.flatMap((one) =>
    rates.map((learningRate): Trial => ({
      name: `${task.key}-${one.key}-rate${rateText(learningRate)}-seed${seed}`,
      part: 'grid',
      task,
      method: one,
      stepping: { optimizer: 'adam', learningRate },
      seed,
      steps,
      keepsAnswers: i === 0 && learningRate === rate && (one === SELU || one === UNIT),
    })),
  );
  if (task !== DIGIT_PAIRS || i >= attemptSeeds) return grid;
  const attempts = ATTEMPTS.filter(({ quick }) => settings.size !== 'quick' || quick).map(
    ({ method: one, stepping }): Trial => ({
      name: `${task.key}-${one.key}-seed${seed}`,
      part: 'attempt',
      task,
      method: one,
      stepping: { optimizer: 'adam', learningRate: rate, ...stepping },
      seed,
      steps,
      keepsAnswers: false,
    }),
  );
  return [...grid, ...attempts];
}
