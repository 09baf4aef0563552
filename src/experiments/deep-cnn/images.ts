// The images of a task on the device: as they are, in [0, 1], or at mean 0 and variance 1 over the training images.
import type { ImageDataset } from '../../data/images/image-dataset.js';
import { miniPlaces, mnist } from '../../data/images/image-sets.js';
import { CATALOGUE } from '../../data/sets/catalogue.js';
import type { Form } from '../../data/sets/entry.js';
import { locate } from '../../data/sets/locate.js';
import { div, sub } from '../../ops/arithmetic.js';
import { sqrt } from '../../ops/elementwise.js';
import { moments } from '../../ops/reductions.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RunContext } from '../experiment.js';
import { digitPairs } from './digit-pairs.js';
import { DIGIT_PAIRS, extentOf, MINI_PLACES, type Task } from './trials.js';

/** Where the digits stand is the same in every run: of its own seeds depend weights and order alone. */
const TRAIN_PLACES = 5;
const TEST_PLACES = 6;

/** A task's images and their classes, as int32 numbers. */
export interface TaskImages {
  readonly trainX: Tensor;
  readonly trainY: Tensor;
  readonly testX: Tensor;
  readonly testY: Tensor;
  readonly classNames: readonly string[];
  /** Of the training images in [0, 1]. */
  readonly mean: number;
  readonly deviation: number;
}

type Parts = Readonly<Record<'train' | 'test', ImageDataset>>;

/** Where a set is looked for: in the folder that was named, if it is there. */
function placeOf(set: 'mnist' | 'miniplaces', data: string | undefined): { dataDir?: string } {
  if (data === undefined) return {};
  return locate<Form>(CATALOGUE[set], { dataDir: data }).missing.length === 0 ? { dataDir: data } : {};
}

/** The tasks of a run: digit pairs, and scenes where they are to be had; a quick run takes them from a folder that was named alone. */
export function tasksOf({ settings, data }: RunContext): Task[] {
  const place = placeOf('miniplaces', data);
  const wanted = settings.size !== 'quick' || place.dataDir !== undefined;
  const there = locate<Form>(CATALOGUE.miniplaces, place).missing.length === 0;
  return wanted && there ? [DIGIT_PAIRS, MINI_PLACES] : [DIGIT_PAIRS];
}

async function read(task: Task, data: string | undefined): Promise<Parts> {
  switch (task.key) {
    case 'digit-pairs': {
      const { train, test } = await mnist(placeOf('mnist', data));
      return { train: digitPairs(train, TRAIN_PLACES), test: digitPairs(test, TEST_PLACES) };
    }
    case 'miniplaces': {
      // The labels of the official test images were never published.
      const { train, validation } = await miniPlaces(placeOf('miniplaces', data));
      return { train, test: validation };
    }
  }
}

/** Images of a task, as they are or standardised. */
export class Images {
  private standard: Pick<TaskImages, 'trainX' | 'testX'> | undefined;
  private constructor(private readonly plain: TaskImages) {}

  /**
   * Loads a task's images, as many as the run's size says.
   * @throws SelfnormError as `data.mnist()`.
   */
  static async load(task: Task, { data, settings }: RunContext): Promise<Images> {
    const { images, testImages } = extentOf(settings, task);
    const sets = await read(task, data);
    const [train, test] = [sets.train.slice(0, images), sets.test.slice(0, testImages)];
    const [trainX, testX] = [train.xs(), test.xs()];
    const [mean, deviation] = tidy(() => {
      const found = moments(trainX);
      return [found.mean.dataSync()[0]!, sqrt(found.variance).dataSync()[0]!];
    });
    const { classNames } = train;
    const facts = { classNames, mean, deviation };
    return new Images({ trainX, testX, trainY: train.classes(), testY: test.classes(), ...facts });
  }

  get(standardized: boolean): TaskImages {
    if (!standardized) return this.plain;
    const { mean, deviation, trainX, testX } = this.plain;
    const scaled = (x: Tensor): Tensor => tidy(() => div(sub(x, mean), deviation));
    this.standard ??= { trainX: scaled(trainX), testX: scaled(testX) };
    return { ...this.plain, ...this.standard };
  }

  dispose(): void {
    const { trainX, trainY, testX, testY } = this.plain;
    const own = this.standard === undefined ? [] : [this.standard.trainX, this.standard.testX];
    for (const tensor of [trainX, trainY, testX, testY, ...own]) tensor.dispose();
    this.standard = undefined;
  }
}
