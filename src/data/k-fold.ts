// Cross-validation: data in k parts, each of them held out once. Parts are lists of places; nothing is copied before a batch is made.
import { failure, invalid } from '../errors.js';
import { gather } from '../ops/gather.js';
import { tensor } from '../ops/creation.js';
import { squeeze } from '../ops/reshape.js';
import { slice } from '../ops/slice.js';
import { convert, type NestedValues } from '../tensor/convert.js';
import { permutation } from '../tensor/host-random.js';
import { tidy } from '../tensor/memory.js';
import { nextHostSeed } from '../tensor/random-state.js';
import { Tensor } from '../tensor/tensor.js';
import { Dataset } from './dataset.js';
import { release, type Batched } from './element.js';

const OP = 'data.kFold';

/** Options of `data.kFold`. */
export interface KFoldOptions<T> {
  /** Parts, at least 2 (default 5). */
  k?: number;
  /** Whether elements go to parts in a random order (default true), or the first to the first part. */
  shuffle?: boolean;
  /** Of the random order; without it, it follows from `setSeed()`. */
  seed?: number;
  /**
   * Whether every part has the same share of each class, as nearly as numbers allow (default false). A function gives an element's class;
   * true takes it from `labels` of the data set, or else from the element's `ys`, a class number or one-hot.
   */
  stratify?: boolean | ((element: T) => number | string);
}

/** Tensors, numbers or a structure of them, with an axis of samples first. */
export type Rows = Tensor | NestedValues | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Samples in memory. */
export interface KFoldSamples<X extends Rows = Rows, Y extends Rows = Rows> {
  readonly x: X;
  readonly y: Y;
}
/** Options of `data.kFold` for samples in memory. */
export type SampleFoldOptions = Omit<KFoldOptions<never>, 'stratify'> & {
  /** As of data sets; true takes a sample's class from `y`, a class number or one-hot. */
  stratify?: boolean;
};

/** One part held out. */
export interface Fold<T> {
  /** The elements of all other parts. */
  readonly train: Dataset<T>;
  /** The elements of this part. */
  readonly validation: Dataset<T>;
}

type RowOf<R> = R extends readonly Tensor[]
  ? Tensor[]
  : R extends Tensor | NestedValues
    ? Tensor
    : { [K in keyof R]: Tensor };

/** One part of samples in memory held out. */
export interface SampleFold<X extends Rows = Rows, Y extends Rows = Rows> extends Fold<{
  xs: RowOf<X>;
  ys: RowOf<Y>;
}> {
  /** The places of the samples in x and y, rising: `sn.gather(x, fold.trainIndices)` is what `fit` takes. */
  readonly trainIndices: Int32Array;
  readonly validationIndices: Int32Array;
}

interface Checked {
  readonly k: number;
  /** null: in their own order. */
  readonly words: readonly number[] | null;
}

function checked({ k = 5, shuffle = true, seed, stratify = false }: KFoldOptions<never>): Checked {
  if (!(Number.isSafeInteger(k) && k >= 2)) throw invalid('ERR_ARGUMENT', OP, 'k', 'an integer of at least 2', k);
  if (typeof shuffle !== 'boolean') throw invalid('ERR_ARGUMENT', OP, 'shuffle', 'a boolean', shuffle);
  if (seed !== undefined && !Number.isSafeInteger(seed)) {
    throw invalid('ERR_ARGUMENT', OP, 'seed', 'a safe integer', seed);
  }
  if (typeof stratify !== 'boolean' && typeof stratify !== 'function') {
    throw invalid('ERR_ARGUMENT', OP, 'stratify', 'a boolean, or a function of an element', stratify);
  }
  return { k, words: shuffle ? (seed === undefined ? nextHostSeed() : [seed]) : null };
}

/** The part of each of `count` elements; sizes of parts differ by one at most, and so do those of a class in them. */
function partsOf(count: number, { k, words }: Checked, classes: ArrayLike<unknown> | null): Int32Array {
  if (count < k) throw failure('ERR_ARGUMENT', OP, `expected at least ${k} elements, one for each part, got ${count}`);
  const order = words === null ? Int32Array.from({ length: count }, (_, i) => i) : permutation(count, words);
  const parts = new Int32Array(count);
  if (classes === null) {
    // As scikit-learn: one piece of the order after the other, the first ones longer by one.
    const [least, longer] = [Math.floor(count / k), count % k];
    order.forEach((place, i) => {
      const inLonger = i < longer * (least + 1);
      parts[place] = inLonger ? Math.floor(i / (least + 1)) : longer + Math.floor((i - longer * (least + 1)) / least);
    });
    return parts;
  }
  const members = new Map<unknown, number[]>();
  for (const place of order) {
    const list = members.get(classes[place]);
    if (list === undefined) members.set(classes[place], [place]);
    else list.push(place);
  }
  // In turns, and on from class to class, so that no part gets all the remainders.
  let turn = 0;
  for (const list of members.values()) for (const place of list) parts[place] = turn++ % k;
  return parts;
}

const sizeOf = (parts: Int32Array, part: number): number => parts.reduce((sum, own) => sum + Number(own === part), 0);

/** A class from its number, or from its one-hot form. */
function classFrom(values: ArrayLike<number>): number {
  if (values.length === 1) return values[0]!;
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The class that an element's `ys` says. */
function classOf(element: unknown): number | string {
  const labelled = typeof element === 'object' && element !== null && 'ys' in element ? element.ys : undefined;
  if (typeof labelled === 'number' || typeof labelled === 'string') return labelled;
  if (labelled instanceof Tensor) return classFrom((labelled as Tensor).dataSync());
  if (Array.isArray(labelled) || ArrayBuffer.isView(labelled)) return classFrom(labelled as unknown as number[]);
  const fix = 'give stratify a function that returns the class';
  throw invalid('ERR_ARGUMENT', OP, 'stratify', 'elements {xs, ys} with classes as ys', element, fix);
}

/** The classes of a data set's elements, by a pass over them where they are not at hand. */
async function classesIn<T>(
  dataset: Dataset<T>,
  stratify: true | ((element: T) => number | string),
): Promise<ArrayLike<unknown>> {
  const known: unknown = stratify === true && 'labels' in dataset ? dataset.labels : undefined;
  if (ArrayBuffer.isView(known) || Array.isArray(known)) return known as ArrayLike<unknown>;
  const classes: unknown[] = [];
  await dataset.forEachAsync((element) => {
    classes.push(stratify === true ? classOf(element) : stratify(element));
  });
  return classes;
}

function foldsOf<T>(dataset: Dataset<T>, options: KFoldOptions<T>): Fold<T>[] {
  const settings = checked(options);
  const { k } = settings;
  const { stratify = false } = options;
  const { size } = dataset;
  if (size === Infinity) throw failure('ERR_ARGUMENT', OP, 'the data set is endless; use take()');
  const known = stratify === false && size !== null ? partsOf(size, settings, null) : null;
  let parts: Promise<Int32Array> | null = known === null ? null : Promise.resolve(known);
  const divide = async (): Promise<Int32Array> => {
    if (stratify !== false) {
      const classes = await classesIn(dataset, stratify);
      return partsOf(classes.length, settings, classes);
    }
    let count = 0;
    for await (const element of dataset) {
      release(element);
      count++;
    }
    return partsOf(count, settings, null);
  };
  return Array.from({ length: k }, (_, part) => {
    const among = (wanted: boolean) => async (): Promise<(place: number) => boolean> => {
      const of = await (parts ??= divide());
      return (place) => (of[place] === part) === wanted;
    };
    const held = known === null ? null : sizeOf(known, part);
    return {
      train: dataset.chosen(among(false), held === null ? null : size! - held),
      validation: dataset.chosen(among(true), held),
    };
  });
}

/** A structure's tensors, each replaced. */
function mapRows(rows: Rows, f: (row: Tensor, name: string) => Tensor, name: string): unknown {
  if (rows instanceof Tensor) return f(rows, name);
  if (Array.isArray(rows) && rows.length > 0 && rows.every((one) => one instanceof Tensor)) {
    return rows.map((one: Tensor, i) => f(one, `${name}[${i}]`));
  }
  if (typeof rows === 'object' && rows !== null && !Array.isArray(rows) && !ArrayBuffer.isView(rows)) {
    return Object.fromEntries(Object.entries(rows).map(([key, one]) => [key, f(one as Tensor, `${name}.${key}`)]));
  }
  return f(convert(OP, name, rows as NestedValues), name);
}

function sampleFolds(samples: KFoldSamples, options: SampleFoldOptions): SampleFold[] {
  const settings = checked(options);
  const { k } = settings;
  const all: Tensor[] = [];
  // Tensors that are made of numbers live as long as the folds do.
  const noted = (given: Tensor, name: string): Tensor => {
    const rows = convert(OP, name, given);
    const { shape, size } = rows;
    const count = all[0]?.shape[0] ?? shape[0];
    if (shape.length === 0) throw invalid('ERR_SHAPE', OP, name, 'an axis of samples', [...shape]);
    if (shape[0] !== count) throw invalid('ERR_SHAPE', OP, name, `${count} samples, as x has`, [...shape]);
    if (size === 0) throw invalid('ERR_SHAPE', OP, name, 'at least one sample', [...shape]);
    all.push(rows);
    return rows;
  };
  const x = mapRows(samples.x, noted, 'x') as Rows;
  const y = mapRows(samples.y, noted, 'y') as Rows;
  const count = all[0]!.shape[0]!;
  const parts = partsOf(count, settings, options.stratify === true ? labelsIn(y) : null);
  type Row = { xs: unknown; ys: unknown };
  const structure = (of: (one: Tensor) => Tensor): Row => ({ xs: mapRows(x, of, 'x'), ys: mapRows(y, of, 'y') });
  const elements = {
    read: (key: unknown): Row => structure((one) => tidy(() => squeeze(slice(one, key as number, 1), [0]))),
    stack(keys: readonly unknown[]): Batched<Row> {
      const places = Int32Array.from(keys as readonly number[]);
      return structure((one) =>
        tidy(() => gather(one, tensor(places, [places.length], 'int32').to(one.device))),
      ) as Batched<Row>;
    },
  };
  const pick = (wanted: (part: number) => boolean): Int32Array =>
    Int32Array.from({ length: count }, (_, i) => i).filter((place) => wanted(parts[place]!));
  const view = (places: Int32Array): Dataset<Row> => {
    // eslint-disable-next-line @typescript-eslint/require-await
    const open = async function* (): AsyncGenerator<number> {
      yield* places;
    };
    return new Dataset<Row>(open, places.length, elements);
  };
  return Array.from({ length: k }, (_, part) => {
    const trainIndices = pick((own) => own !== part);
    const validationIndices = pick((own) => own === part);
    const [train, validation] = [view(trainIndices), view(validationIndices)];
    return { train, validation, trainIndices, validationIndices } as unknown as SampleFold;
  });
}

function labelsIn(y: Rows): number[] {
  if (!(y instanceof Tensor)) {
    throw invalid('ERR_ARGUMENT', OP, 'stratify', 'one tensor of class numbers or one-hot classes as y', y);
  }
  const width = y.size / y.shape[0]!;
  const values = y.dataSync();
  return Array.from({ length: y.shape[0]! }, (_, i) => classFrom(values.subarray(i * width, (i + 1) * width)));
}

/**
 * Data in k parts for cross-validation: fold i trains on all parts but the i-th, and validates on that. Sizes of parts differ by
 * one at most. Nothing is copied: folds of a data set are passes over it that leave elements out, and folds of samples in memory
 * are lists of places, gathered on the device when a batch is made.
 * @param data A data set, whose order must be the same in every pass (shuffle the folds instead), or samples `{x, y}` `[samples, ...]` in
 *   memory, in the forms that `fit` takes; their elements are `{xs, ys}`. Their tensors stay the caller's, and must live as long as the folds.
 * @example
 * for (const { train, validation } of sn.data.kFold({x, y}, {k: 5, seed: 1, stratify: true})) {
 *   const model = makeModel();
 *   await model.fitDataset(train.shuffle(1000).batch(32), {epochs: 10, validationData: validation.batch(256)});
 * }
 * @throws ArgumentError for a bad option, or where there are fewer elements than parts; ShapeError when x and y differ in length.
 */
export function kFold<X extends Rows, Y extends Rows>(
  data: KFoldSamples<X, Y>,
  options?: SampleFoldOptions,
): SampleFold<X, Y>[];
export function kFold<T>(data: Dataset<T>, options?: KFoldOptions<T>): Fold<T>[];
export function kFold(
  data: Dataset<unknown> | KFoldSamples,
  options: KFoldOptions<unknown> | SampleFoldOptions = {},
): Fold<unknown>[] {
  if (typeof options !== 'object' || options === null) {
    throw invalid('ERR_ARGUMENT', OP, 'options', '{k, shuffle, seed, stratify}', options);
  }
  if (data instanceof Dataset) return foldsOf(data, options as KFoldOptions<unknown>);
  if (typeof data !== 'object' || data === null || !('x' in data && 'y' in data)) {
    throw invalid('ERR_ARGUMENT', OP, 'data', 'a data set, or {x, y}', data);
  }
  return sampleFolds(data, options as SampleFoldOptions);
}
