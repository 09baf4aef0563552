// The named sets of text and word vectors, a row each.
import type { DataSetEntry, Download, PairForm, VectorForm } from './entry.js';

/** An archive that is kept packed. The publishers give no checksums: these are those of packages that download the
 * files, several of them for SNLI and GloVe, Hugging Face's datasets for SICK. */
function archive(name: string, sha256: string): Download {
  return { name, files: [name], checksums: [{ of: 'download', algorithm: 'sha256', digest: sha256 }] };
}

/**
 * Pairs of sentences and whether one follows from the other: Bowman, Angeli, Potts, Manning,
 * https://nlp.stanford.edu/projects/snli/.
 */
export const SNLI: DataSetEntry<PairForm> = {
  name: 'snli',
  op: 'data.snli',
  forms: [
    {
      format: 'snli',
      archive: 'snli_1.0.zip',
      train: 'snli_1.0_train.jsonl',
      validation: 'snli_1.0_dev.jsonl',
      test: 'snli_1.0_test.jsonl',
    },
    {
      format: 'snli',
      train: 'snli_1.0_train.jsonl',
      validation: 'snli_1.0_dev.jsonl',
      test: 'snli_1.0_test.jsonl',
    },
    { format: 'snli', train: 'train.jsonl', validation: 'dev.jsonl', test: 'test.jsonl' },
    { format: 'snli', train: 'train_subset.jsonl', validation: 'dev.jsonl', test: 'test.jsonl' },
  ],
  mirrors: ['https://nlp.stanford.edu/projects/snli/'],
  folders: ['snli', 'snli_1.0'],
  downloads: [archive('snli_1.0.zip', 'afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e')],
};

/**
 * Pairs of sentences with a label and a relatedness from 1 to 5: Marelli and others, LREC 2014. Two releases: the
 * later one, of 9,840 pairs, and that of SemEval-2014 task 1, of 9,927, which most results are for.
 */
export const SICK: DataSetEntry<PairForm> = {
  name: 'sick',
  op: 'data.sick',
  forms: [
    { format: 'sick-table', archive: 'SICK.zip', train: 'SICK.txt', validation: 'SICK.txt', test: 'SICK.txt' },
    { format: 'sick-table', train: 'SICK.txt', validation: 'SICK.txt', test: 'SICK.txt' },
    {
      format: 'semeval',
      train: 'SICK_train.txt',
      validation: 'SICK_trial.txt',
      test: 'SICK_test_annotated.txt',
    },
    { format: 'snli', train: 'train.jsonl', validation: 'dev.jsonl', test: 'test.jsonl' },
  ],
  mirrors: ['https://zenodo.org/record/2787612/files/'],
  folders: ['sick', 'SICK'],
  downloads: [archive('SICK.zip', 'da272af924399fc2de4889ed55383e38822c10d16c4a949a89d597d09a0b7912')],
};

/** A release of GloVe: Pennington, Socher, Manning, https://nlp.stanford.edu/projects/glove/. */
function gloveRow(
  release: string,
  dimensions: readonly number[],
  zip: string,
  stem: string,
  digest: string,
): DataSetEntry<VectorForm> {
  const files = dimensions.map((dimension) => ({ file: `${stem}.${dimension}d.txt`, dimension }));
  const inArchive = files.map((each): VectorForm => ({ format: 'glove', archive: zip, ...each }));
  const [first, ...others] = [...inArchive, ...files.map((each): VectorForm => ({ format: 'glove', ...each }))];
  return {
    name: `glove-${release}`,
    op: 'data.glove',
    forms: [first!, ...others, { format: 'glove', file: 'glove.txt', dimension: undefined }],
    mirrors: ['https://nlp.stanford.edu/data/', 'https://huggingface.co/stanfordnlp/glove/resolve/main/'],
    folders: ['glove', `glove.${release.toUpperCase()}`],
    downloads: [archive(zip, digest)],
  };
}

export const GLOVE_6B = gloveRow(
  '6b',
  [100, 50, 200, 300],
  'glove.6B.zip',
  'glove.6B',
  '617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb',
);
export const GLOVE_42B = gloveRow(
  '42b',
  [300],
  'glove.42B.300d.zip',
  'glove.42B',
  '03d5d7fa28e58762ace4b85fb71fe86a345ef0b5ff39f5390c14869da0fc1970',
);
export const GLOVE_840B = gloveRow(
  '840b',
  [300],
  'glove.840B.300d.zip',
  'glove.840B',
  'c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f',
);
export const GLOVE_TWITTER = gloveRow(
  'twitter',
  [100, 25, 50, 200],
  'glove.twitter.27B.zip',
  'glove.twitter.27B',
  '792af52f795d1a32c9842a3240f5f3fe5e941a8ff6df5eb0f9d668092ebc019c',
);
