// The named sets of text and word vectors, a row each.
import type { DataSetEntry, PairForm, VectorForm } from './entry.js';

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
  downloads: [{ name: 'snli_1.0.zip', files: ['snli_1.0.zip'], checksums: [] }],
};

/**
 * Pairs of sentences with a label and a relatedness from 1 to 5: Marelli and others, LREC 2014. The first form is the later release of
 * the whole set; the second the files of SemEval-2014 task 1.
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
  mirrors: ['https://zenodo.org/records/2787612/files/'],
  folders: ['sick', 'SICK'],
  downloads: [{ name: 'SICK.zip', files: ['SICK.zip'], checksums: [] }],
};

/** A release of GloVe: Pennington, Socher, Manning, https://nlp.stanford.edu/projects/glove/. */
function gloveRow(
  release: string,
  dimensions: readonly number[],
  archive: string,
  stem: string,
): DataSetEntry<VectorForm> {
  const files = dimensions.map((dimension) => ({ file: `${stem}.${dimension}d.txt`, dimension }));
  const inArchive = files.map((each): VectorForm => ({ format: 'glove', archive, ...each }));
  const [first, ...others] = [...inArchive, ...files.map((each): VectorForm => ({ format: 'glove', ...each }))];
  return {
    name: `glove-${release}`,
    op: 'data.glove',
    forms: [first!, ...others, { format: 'glove', file: 'glove.txt', dimension: undefined }],
    mirrors: ['https://nlp.stanford.edu/data/', 'https://huggingface.co/stanfordnlp/glove/resolve/main/'],
    folders: ['glove', `glove.${release.toUpperCase()}`],
    downloads: [{ name: archive, files: [archive], checksums: [] }],
  };
}

export const GLOVE_6B = gloveRow('6b', [100, 50, 200, 300], 'glove.6B.zip', 'glove.6B');
export const GLOVE_42B = gloveRow('42b', [300], 'glove.42B.300d.zip', 'glove.42B');
export const GLOVE_840B = gloveRow('840b', [300], 'glove.840B.300d.zip', 'glove.840B');
export const GLOVE_TWITTER = gloveRow('twitter', [100, 25, 50, 200], 'glove.twitter.27B.zip', 'glove.twitter.27B');
