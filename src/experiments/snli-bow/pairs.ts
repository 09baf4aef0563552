// Pairs of sentences as ids of words and one-hot labels on the run's device, and the words' vectors.
import { CATALOGUE } from '../../data/sets/catalogue.js';
import { locate } from '../../data/sets/locate.js';
import { glove, type GloveOptions } from '../../data/text/glove.js';
import { snli } from '../../data/text/pair-sets.js';
import { vocabulary, type PaddedTexts, type Vocabulary } from '../../data/text/vocabulary.js';
import type { SentencePairs } from '../../data/text/sentence-pairs.js';
import { tensor } from '../../ops/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { MAX_LEN } from './trials.js';

/** Training pairs with a gold label in the whole set. */
const PUBLISHED = 549_367;

/** What a part of the set is made of. */
export interface PartFacts {
  readonly name: 'training' | 'validation' | 'test';
  readonly pairs: number;
  /** Pairs of each class, in the order of the labels. */
  readonly classes: readonly number[];
  /** Pairs without a gold label, which are left out, and lines that could not be read; of a part of a file not known, and 0. */
  readonly unlabelled: number;
  readonly skipped: number;
  /** Words of all sentences, those without a vector among the words that are not cut off, and sentences that were too long. */
  readonly words: number;
  readonly withoutVector: number;
  readonly truncated: number;
}

/** What the network is trained and judged on. */
export interface PairFacts {
  readonly classNames: readonly string[];
  readonly parts: readonly PartFacts[];
  /** Whether all published training pairs are used, and how many those are. */
  readonly whole: boolean;
  readonly published: number;
  readonly vocabulary: number;
  /** Words of the vocabulary that have a vector. */
  readonly known: number;
  readonly dimension: number;
  readonly vectorFile: string;
}

/** A part as a model takes it. */
export interface Part {
  readonly x: readonly [premises: Tensor, hypotheses: Tensor];
  readonly y: Tensor;
}

/** Word vectors that are looked for, best first: the document's release, others of its width, the usual ones. */
const RELEASES = [
  { release: '840b', dimension: 300 },
  { release: '6b', dimension: 300 },
  { release: '6b', dimension: 100 },
] as const;

/** The vectors that lie in the folder, or in the cache; the narrowest to download where there are none. */
function vectorsAt(dataDir: string | undefined): GloveOptions {
  const places = dataDir === undefined ? {} : { dataDir };
  for (const { release, dimension } of RELEASES) {
    const set = CATALOGUE[`glove-${release}`];
    const [first, ...others] = set.forms.filter((form) => (form.dimension ?? dimension) === dimension);
    const { form, paths, missing } = locate({ ...set, forms: [first!, ...others] }, places);
    if (missing.length > 0) continue;
    // A file that does not tell its width in its name has any.
    return form.dimension === undefined ? { file: paths.get(form.file)! } : { ...places, release, dimension };
  }
  return { ...places, ...RELEASES.at(-1)! };
}

interface Encoded {
  readonly part: Part;
  readonly facts: PartFacts;
}

function encode(name: PartFacts['name'], pairs: SentencePairs, words: Vocabulary, lacks: ReadonlySet<number>): Encoded {
  const { premises, hypotheses } = pairs.encode(words, { maxLen: MAX_LEN });
  const both = [premises, hypotheses];
  const total = (value: (texts: PaddedTexts) => number): number => both.reduce((sum, texts) => sum + value(texts), 0);
  const withoutVector = total(({ ids, unknown }) => ids.reduce((sum, id) => sum + (lacks.has(id) ? 1 : 0), unknown));
  const { classes, unlabelled, skipped } = pairs.counts;
  const ids = ({ ids, shape }: PaddedTexts): Tensor => tensor(ids, shape, 'int32');
  return {
    part: { x: [ids(premises), ids(hypotheses)], y: pairs.ys() },
    facts: {
      name,
      pairs: pairs.size,
      classes: Object.values(classes),
      unlabelled,
      skipped,
      words: total(({ tokens }) => tokens),
      withoutVector,
      truncated: total(({ truncated }) => truncated),
    },
  };
}

/** SNLI and GloVe of a run. */
export class Pairs {
  private constructor(
    readonly train: Part,
    readonly validation: Part,
    readonly test: Part,
    /** `[vocabulary, dimension]`; zeros where a word has no vector. */
    readonly vectors: Tensor,
    readonly facts: PairFacts,
  ) {}

  /**
   * Reads both. The vocabulary is that of the training pairs, lower case: validation and test are tokenised otherwise than
   * training in some copies of the set, and the tokenizer gives the same words for both.
   * @param limit Training pairs at most, from the first on.
   */
  static async load(data: string | undefined, limit: number | undefined): Promise<Pairs> {
    const sets = await snli(data === undefined ? {} : { dataDir: data });
    const train = limit === undefined ? sets.train : sets.train.slice(0, limit);
    const words = vocabulary([train.premises, train.hypotheses]);
    const vectors = await glove({ ...vectorsAt(data), vocabulary: words });
    const lacks = new Set(vectors.missing);
    const parts = [
      encode('training', train, words, lacks),
      encode('validation', sets.validation, words, lacks),
      encode('test', sets.test, words, lacks),
    ] as const;
    const [training, validation, test] = parts.map(({ part }) => part) as [Part, Part, Part];
    return new Pairs(training, validation, test, tensor(vectors.vectors, vectors.shape), {
      classNames: train.classNames,
      parts: parts.map(({ facts }) => facts),
      whole: sets.full && train.size === sets.train.size,
      published: PUBLISHED,
      vocabulary: words.size - 1,
      known: vectors.coverage.types.found,
      dimension: vectors.dimension,
      vectorFile: vectors.file,
    });
  }

  dispose(): void {
    for (const { x, y } of [this.train, this.validation, this.test]) for (const each of [...x, y]) each.dispose();
    this.vectors.dispose();
  }
}
