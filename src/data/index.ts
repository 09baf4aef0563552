// The namespace `data`.
export { csv, CsvDataset, type CsvColumn, type CsvConfig, type CsvElement, type CsvRow, type CsvValue } from './csv.js';
export { Dataset } from './dataset.js';
export type { DataPlaces } from './sets/locate.js';
export type { DownloadOptions } from './sets/download.js';
export type { Batched } from './element.js';
export { ImageDataset, type ImageArrays, type ImageSets, type LabelledImage } from './images/image-dataset.js';
export {
  cifar10,
  cifar100,
  fashionMnist,
  miniPlaces,
  mnist,
  type Cifar100Options,
  type CifarOptions,
  type ImageSetOptions,
} from './images/image-sets.js';
export {
  kFold,
  type Fold,
  type KFoldOptions,
  type KFoldSamples,
  type Rows,
  type SampleFold,
  type SampleFoldOptions,
} from './k-fold.js';
export { array, generator, zip, type DatasetContainer } from './sources.js';
export type { BadRecord, BadRecordOptions, OnBadRecord, SkippedRecords } from './files/bad-records.js';
export { glove, type GloveOptions, type Share, type WordVectors } from './text/glove.js';
export { padSequences, type PaddedSequences, type PadOptions, type PadSide } from './text/pad-sequences.js';
export { sick, snli, type PairSetOptions } from './text/pair-sets.js';
export {
  SentencePairs,
  type EncodedPairs,
  type PairArrays,
  type PairCounts,
  type PairSets,
  type SentencePair,
} from './text/sentence-pairs.js';
export { tokenizer, Tokenizer, type TokenizerOptions } from './text/tokenizer.js';
export { vocabulary, Vocabulary, type PaddedTexts, type VocabularyOptions } from './text/vocabulary.js';
export type { ColorMode } from './images/decode-plan.js';
export { ImageFiles, type ImageFilesOptions, type LabelledFiles } from './images/image-files.js';
export {
  imageFolder,
  imageList,
  type ImageFileSets,
  type ImageFolderOptions,
  type ImageListOptions,
} from './images/image-folder.js';
export { miniPlacesPhotos, places365, type PhotoSetOptions } from './images/photo-sets.js';
