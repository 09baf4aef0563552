// Labelled pairs of sentences in memory, with an account of the lines they came from: what was read, what has no label and what was
// left out adds up.
import { invalid } from '../../errors.js';
import { tensor } from '../../ops/creation.js';
import { oneHot } from '../../ops/gather.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Dataset } from '../dataset.js';
import type { SkippedRecords } from '../files/bad-records.js';
import type { PadOptions } from './pad-sequences.js';
import type { PaddedTexts, Vocabulary } from './vocabulary.js';

/** The labels of inference, in the order of their numbers. */
export const INFERENCE_CLASSES = ['entailment', 'neutral', 'contradiction'] as const;

/** A pair; `label` counts in `classNames`. */
export interface SentencePair {
  readonly premise: string;
  readonly hypothesis: string;
  readonly label: number;
}

/** What the lines of a file were. */
export interface PairCounts {
  /** All lines that were read as records. */
  readonly lines: number;
  /** Pairs in the data set. */
  readonly labelled: number;
  /** Pairs whose annotators agreed on no label; they are not in the data set. */
  readonly unlabelled: number;
  /** Lines that could not be read. */
  readonly skipped: number;
  /** Pairs of each class. */
  readonly classes: Readonly<Record<string, number>>;
}

/** What a data set of pairs is made of. */
export interface PairArrays {
  readonly premises: readonly string[];
  readonly hypotheses: readonly string[];
  readonly labels: Uint8Array;
  /** Relatedness from 1 to 5, where the set has it. */
  readonly relatedness?: Float32Array | undefined;
  readonly unlabelled: number;
  readonly skipped: SkippedRecords;
  readonly files: readonly string[];
}

/** Both sentences of each pair as rows of word ids. */
export interface EncodedPairs {
  readonly premises: PaddedTexts;
  readonly hypotheses: PaddedTexts;
}

/**
 * Labelled pairs of sentences. As a data set its elements are `SentencePair`; `encode()` gives what a model takes.
 */
export class SentencePairs extends Dataset<SentencePair> implements PairArrays {
  readonly premises: readonly string[];
  readonly hypotheses: readonly string[];
  readonly labels: Uint8Array;
  readonly relatedness: Float32Array | undefined;
  readonly unlabelled: number;
  readonly skipped: SkippedRecords;
  readonly files: readonly string[];
  readonly classNames: readonly string[] = INFERENCE_CLASSES;
  declare readonly size: number;

  /** @throws ShapeError when there are not as many sentences as labels. */
  constructor(arrays: PairArrays) {
    const { premises, hypotheses, labels } = arrays;
    for (const [name, texts] of Object.entries({ premises, hypotheses })) {
      if (texts.length === labels.length) continue;
      throw invalid('ERR_SHAPE', 'SentencePairs', name, `${labels.length} sentences, one a label`, texts.length);
    }
    // eslint-disable-next-line @typescript-eslint/require-await
    const open = async function* (): AsyncGenerator<number> {
      for (let index = 0; index < labels.length; index++) yield index;
    };
    const read = (index: unknown): SentencePair => {
      const at = index as number;
      return { premise: premises[at]!, hypothesis: hypotheses[at]!, label: labels[at]! };
    };
    const stack = (): never => {
      throw invalid('ERR_DTYPE', 'Dataset.batch', 'element', 'numbers', 'sentences', 'use encode()');
    };
    super(open, labels.length, { read, stack });
    ({ premises: this.premises, hypotheses: this.hypotheses, labels: this.labels } = arrays);
    ({ relatedness: this.relatedness, unlabelled: this.unlabelled } = arrays);
    ({ skipped: this.skipped, files: this.files } = arrays);
  }

  /** How many classes there are. */
  get numClasses(): number {
    return this.classNames.length;
  }

  /** What became of the lines read. */
  get counts(): PairCounts {
    const classes: Record<string, number> = Object.fromEntries(this.classNames.map((name) => [name, 0]));
    for (const label of this.labels) classes[this.classNames[label]!]!++;
    const { size, unlabelled, skipped } = this;
    const lines = size + unlabelled + skipped.count;
    return { lines, labelled: size, unlabelled, skipped: skipped.count, classes };
  }

  /**
   * Pairs from `start` up to but without `end`, counting from the back where negative. What is not among the pairs is told by the whole
   * set alone.
   */
  slice(start = 0, end = this.size): SentencePairs {
    const { files } = this;
    return new SentencePairs({
      premises: this.premises.slice(start, end),
      hypotheses: this.hypotheses.slice(start, end),
      labels: this.labels.slice(start, end),
      relatedness: this.relatedness?.slice(start, end),
      unlabelled: 0,
      skipped: { count: 0, first: [] },
      files,
    });
  }

  /** Both sentences of each pair as rows of a vocabulary's ids, `[pairs, maxLen]` each; see `Vocabulary.textsToPadded`. */
  encode(vocabulary: Vocabulary, options: PadOptions = {}): EncodedPairs {
    return {
      premises: vocabulary.textsToPadded(this.premises, options),
      hypotheses: vocabulary.textsToPadded(this.hypotheses, options),
    };
  }

  /** All labels one-hot, float32 `[pairs, classes]`. */
  ys(): Tensor {
    return tidy(() => oneHot(this.classes(), this.numClasses, 1, 0, 'float32'));
  }

  /** All labels as int32 `[pairs]`, for sparse losses and metrics. */
  classes(): Tensor {
    return tensor(Int32Array.from(this.labels), [this.size], 'int32');
  }
}

/** A data set's parts. */
export interface PairSets {
  readonly train: SentencePairs;
  readonly validation: SentencePairs;
  readonly test: SentencePairs;
  /** Whether these are all pairs of the published set. */
  readonly full: boolean;
  /** Where the files are. */
  readonly folder: string;
}
