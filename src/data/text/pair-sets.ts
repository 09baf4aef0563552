// The named sets of sentence pairs.
import type { BadRecordOptions } from '../files/bad-records.js';
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { DataSetEntry, PairForm } from '../sets/entry.js';
import { readPairs } from './read-pairs.js';
import type { PairSets } from './sentence-pairs.js';

/** Options of `data.snli()` and `data.sick()`. */
export interface PairSetOptions extends DownloadOptions, BadRecordOptions {}

async function load(set: DataSetEntry<PairForm>, options: PairSetOptions): Promise<PairSets> {
  return readPairs(set, await obtain(set, options), options.onBadRecord);
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
 * SICK: pairs of sentences with a label as in SNLI and a relatedness from 1 to 5, 4,500 + 500 + 4,927 in the release of SemEval-2014,
 * 4,439 + 495 + 4,906 in the later one. Read from `dataDir` (`SICK.zip` or `SICK.txt`, the later release; `SICK_train.txt`,
 * `SICK_trial.txt` and `SICK_test_annotated.txt`, that of SemEval; or `train.jsonl`, `dev.jsonl` and `test.jsonl`), else from the
 * cache, into which the later release is downloaded (0.2 MB). All else as `snli`.
 */
export function sick(options: PairSetOptions = {}): Promise<PairSets> {
  return load(CATALOGUE.sick, options);
}
