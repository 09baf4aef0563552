// The images of a data set on the device, each colour at mean 0 and variance 1 over the training images, which SELU's fixed
// point asks of its input and the others do not mind.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '../../data/sets/catalogue.js';
import type { ImageSetEntry } from '../../data/sets/entry.js';
import { cifar10, mnist } from '../../data/images/image-sets.js';
import type { ImageDataset, ImageSets } from '../../data/images/image-dataset.js';
import { locate } from '../../data/sets/locate.js';
import { div, sub } from '../../ops/arithmetic.js';
import { sqrt } from '../../ops/elementwise.js';
import { moments } from '../../ops/reductions.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Images } from '../images.js';
import type { Task } from './trials.js';

export interface StandardizedImages extends Images {
  /** Which files of a part of the set were read; undefined: the whole set's. */
  readonly part: string | undefined;
  readonly classNames: readonly string[];
}

interface PartOfCifar {
  readonly dataDir: string;
  readonly files: { readonly train: readonly string[]; readonly test: readonly string[] };
}

/** A part of CIFAR-10 in its binary format: `train_<count>_<kind>.bin` and `test_<count>_<kind>.bin`, packed or not. */
function partIn(dataDir: string): PartOfCifar | undefined {
  for (const folder of [dataDir, ...CATALOGUE.cifar10.folders.map((inner) => join(dataDir, inner))]) {
    let names: readonly string[];
    try {
      names = readdirSync(folder).sort();
    } catch {
      continue;
    }
    for (const train of names) {
      const [, kind] = /^train_\d+_(\w+)\.bin(?:\.gz)?$/.exec(train) ?? [];
      if (kind === undefined) continue;
      const test = names.find((name) => new RegExp(`^test_\\d+_${kind}\\.bin(\\.gz)?$`).test(name));
      if (test !== undefined) return { dataDir: folder, files: { train: [train], test: [test] } };
    }
  }
  return undefined;
}

/** Whether a folder has the published files; images decoded from JPEG files are not those. */
function isWhole(set: Task['set'], dataDir: string): boolean {
  const entry: ImageSetEntry = CATALOGUE[set];
  const { form, missing } = locate(entry, { dataDir });
  return missing.length === 0 && form === entry.forms[0];
}

/** The sets from the folder that was named, where it has them; MNIST else from its usual place. */
async function read(set: Task['set'], dataDir: string | undefined): Promise<ImageSets & { part?: string }> {
  if (dataDir === undefined) return set === 'mnist' ? mnist() : cifar10();
  if (set === 'mnist') return mnist(isWhole(set, dataDir) ? { dataDir } : {});
  const part = isWhole(set, dataDir) ? undefined : partIn(dataDir);
  if (part === undefined) {
    const sets = await cifar10({ dataDir });
    return sets.lossy === true ? { ...sets, part: 'all images, decoded from JPEG files' } : sets;
  }
  return { ...(await cifar10(part)), part: [...part.files.train, ...part.files.test].join(' and ') };
}

/**
 * Loads a set and standardises it.
 * @param limit Images to take of each part, from the first on; undefined: all.
 * @throws SelfnormError as `data.mnist()` and `data.cifar10()`.
 */
export async function loadStandardized(
  set: Task['set'],
  dataDir: string | undefined,
  limit: number | undefined,
): Promise<StandardizedImages> {
  const sets = await read(set, dataDir);
  const [train, test] = [sets.train.slice(0, limit), sets.test.slice(0, limit)] as [ImageDataset, ImageDataset];
  const [trainX, testX] = tidy(() => {
    const [x, other] = [train.xs(), test.xs()];
    const { mean, variance } = moments(x, [0, 1, 2]);
    const deviation = sqrt(variance);
    return [div(sub(x, mean), deviation), div(sub(other, mean), deviation)] as [Tensor, Tensor];
  });
  return { trainX, trainY: train.ys(), testX, testY: test.ys(), part: sets.part, classNames: train.classNames };
}
