// The images of a task on the device: as they are, in [0, 1], or at mean 0 and variance 1 over the training images.
import { failure } from '../../errors.js';
import { foldersIn, PART_FOLDERS } from '../../data/images/class-folders.js';
import type { ImageDataset } from '../../data/images/image-dataset.js';
import type { ImageFiles } from '../../data/images/image-files.js';
import { imageFolder } from '../../data/images/image-folder.js';
import { miniPlaces, mnist } from '../../data/images/image-sets.js';
import { places365 } from '../../data/images/photo-sets.js';
import { CATALOGUE } from '../../data/sets/catalogue.js';
import type { Form } from '../../data/sets/entry.js';
import { locate } from '../../data/sets/locate.js';
import { div, sub } from '../../ops/arithmetic.js';
import { sqrt } from '../../ops/elementwise.js';
import { concat } from '../../ops/join.js';
import { argMax, moments } from '../../ops/reductions.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RunContext } from '../experiment.js';
import { digitPairs } from './digit-pairs.js';
import { DIGIT_PAIRS, extentOf, MINI_PLACES, PHOTOGRAPHS, type Extent, type Task } from './trials.js';

/** Where the digits stand is the same in every run: of its own seeds depend weights and order alone. */
const TRAIN_PLACES = 5;
const TEST_PLACES = 6;
/** Which photographs are taken, likewise. */
const PLACES_SEED = 7;
const DECODED_AT_ONCE = 256;
/** Share of a folder's images that is tested on, where it has none for that. */
const HELD_BACK = 0.1;

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

/** Some images and their classes. */
interface Part {
  readonly x: Tensor;
  readonly y: Tensor;
}
interface Parts {
  readonly train: Part;
  readonly test: Part;
  readonly classNames: readonly string[];
}

/** Where a set is looked for: in the folder that was named, if it is there. */
function placeOf(set: 'mnist' | 'miniplaces' | 'places365', data: string | undefined): { dataDir?: string } {
  if (data === undefined) return {};
  return locate<Form>(CATALOGUE[set], { dataDir: data }).missing.length === 0 ? { dataDir: data } : {};
}

/** Whether a folder has image files of its own, in class folders or as Places365 lists them. */
async function hasPhotographs(data: string): Promise<boolean> {
  if (placeOf('places365', data).dataDir !== undefined) return true;
  const folders = await foldersIn('run', data);
  return PART_FOLDERS.train.some((name) => folders.includes(name));
}

/**
 * The tasks of a run: digit pairs; MiniPlaces where it is found, for a quick run in the folder that was named alone; and that folder's
 * photographs.
 */
export async function tasksOf({ settings, data }: RunContext): Promise<Task[]> {
  const place = placeOf('miniplaces', data);
  const wanted = settings.size !== 'quick' || place.dataDir !== undefined;
  const scenes = wanted && locate<Form>(CATALOGUE.miniplaces, place).missing.length === 0;
  const photographs = data !== undefined && (await hasPhotographs(data));
  return [DIGIT_PAIRS, ...(scenes ? [MINI_PLACES] : []), ...(photographs ? [PHOTOGRAPHS] : [])];
}

function firstOf(set: ImageDataset, count: number | undefined): Part {
  const part = set.slice(0, count);
  return { x: part.xs(), y: part.classes() };
}

/** Decodes some of the files, taken at random: files of one class follow each other. */
async function decode(files: ImageFiles, count: number): Promise<Part> {
  const parts: Part[] = [];
  const chosen = files.shuffle(Math.max(1, files.files.length), PLACES_SEED, false).take(count);
  for await (const { xs, ys } of chosen.batch(DECODED_AT_ONCE)) {
    parts.push({ x: xs, y: tidy(() => argMax(ys, -1)) });
    ys.dispose();
  }
  if (parts.length === 0)
    throw failure('ERR_ARGUMENT', 'run', '--data: expected images to train and to test, got none');
  const whole = { x: concat(parts.map(({ x }) => x)), y: concat(parts.map(({ y }) => y)) };
  for (const { x, y } of parts) {
    x.dispose();
    y.dispose();
  }
  return whole;
}

/** The folder's images: those to train and those to test with, held back from the others where there are none for that. */
async function findPhotographs(data: string, size: number): Promise<{ train: ImageFiles; held: ImageFiles }> {
  const options = { imageSize: size, colorMode: 'lightness' } as const;
  const official = placeOf('places365', data);
  if (official.dataDir !== undefined) {
    const { train, validation } = await places365({ ...options, ...official });
    return { train, held: validation };
  }
  const { train, validation, test } = await imageFolder(data, options);
  const held = [validation, test].find(({ files }) => files.length > 0);
  if (held !== undefined) return { train, held };
  const parts = await imageFolder(data, { ...options, validation: HELD_BACK });
  return { train: parts.train, held: parts.validation };
}

async function readPhotographs(data: string, { photographs, images, testImages }: Extent): Promise<Parts> {
  const { train, held } = await findPhotographs(data, photographs.size);
  return {
    train: await decode(train, Math.min(photographs.train, images ?? Infinity)),
    test: await decode(held, Math.min(photographs.test, testImages ?? Infinity)),
    classNames: train.classNames,
  };
}

async function read(task: Task, data: string | undefined, extent: Extent): Promise<Parts> {
  const { images, testImages } = extent;
  const parts = (train: ImageDataset, test: ImageDataset): Parts => {
    const { classNames } = train;
    return { train: firstOf(train, images), test: firstOf(test, testImages), classNames };
  };
  switch (task.key) {
    case 'digit-pairs': {
      const { train, test } = await mnist(placeOf('mnist', data));
      return parts(digitPairs(train, TRAIN_PLACES), digitPairs(test, TEST_PLACES));
    }
    case 'miniplaces': {
      // The labels of the official test images were never published.
      const { train, validation } = await miniPlaces(placeOf('miniplaces', data));
      return parts(train, validation);
    }
    case 'photographs':
      return readPhotographs(data!, extent);
  }
}

/** Images of a task, as they are or standardised. */
export class Images {
  private standard: Pick<TaskImages, 'trainX' | 'testX'> | undefined;
  private constructor(private readonly plain: TaskImages) {}

  /**
   * Loads a task's images, as many as the run's size says.
   * @throws SelfnormError as `data.mnist()` and `data.imageFolder()`.
   */
  static async load(task: Task, { data, settings }: RunContext): Promise<Images> {
    const { train, test, classNames } = await read(task, data, extentOf(settings, task));
    const { x: trainX, y: trainY } = train;
    const { x: testX, y: testY } = test;
    const [mean, deviation] = tidy(() => {
      const found = moments(trainX);
      return [found.mean.dataSync()[0]!, sqrt(found.variance).dataSync()[0]!];
    });
    return new Images({ trainX, trainY, testX, testY, classNames, mean, deviation });
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
