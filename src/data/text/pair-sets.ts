// The named sets of sentence pairs.
import type { BadRecordOptions } from '../files/bad-records.js';
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { DataSetEntry, PairForm } from '../sets/entry.js';
import { readPairs } from './read-pairs.js';
import type { PairSets } from './sentence-pairs.js';

/** Options of `data.snli()` and `data.sick()`. */
export interface PairSetOptions extends DownloadOptions, BadRecordOptions {}

/** Labelled pairs of each part, as published. */
export const PUBLISHED_PAIRS = {
  snli: { train: 549_367, validation: 9_842, test: 9_824 },
  sick: { train: 4_500, validation: 500, test: 4_927 },
} as const;

async function load(set: DataSetEntry<PairForm>, options: PairSetOptions): Promise<PairSets> {
  return readPairs(set, await obtain(set, options), PUBLISHED_PAIRS[set.name as 'snli' | 'sick'], options.onBadRecord);
}

/**
 * SNLI: pairs of sentences labelled entailment, neutral or contradiction; 549,367 for training, 9,842 for validation (its
 * development set), 9,824 for testing. Read from `dataDir` (`snli_1.0.zip`, what it unpacks to, or `train.jsonl` or
 * `train_subset.jsonl` with `dev.jsonl` and `test.jsonl`, packed or not), else from the cache, into which the archive is downloaded
 * (95 MB). Pairs without a gold label are left out and counted; `full` says whether all the published pairs are there.
 * @throws FileFormatError naming file and line of a bad record, unless `onBadRecord` is `'skip'`; ArgumentError when files are
 *   missing and cannot be downloaded.
 */
export function snli(options: PairSetOptions = {}): Promise<PairSets> {
  return load(CATALOGUE.snli, options);
}

/**
 * SICK: 4,500 + 500 + 4,927 pairs of sentences with a label as in SNLI and a relatedness from 1 to 5. Read from `dataDir` (`SICK.zip`,
 * `SICK.txt`, the files of SemEval-2014, or `train.jsonl`, `dev.jsonl` and `test.jsonl`), else from the cache, into which it is
 * downloaded (0.2 MB). All else as `snli`.
 */
export function sick(options: PairSetOptions = {}): Promise<PairSets> {
  return load(CATALOGUE.sick, options);
}
