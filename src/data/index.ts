// The namespace `data`.
export { csv, CsvDataset, type CsvColumn, type CsvConfig, type CsvElement, type CsvRow, type CsvValue } from './csv.js';
export { Dataset } from './dataset.js';
export type { DataPlaces } from './locate.js';
export type { DownloadOptions } from './download.js';
export type { Batched } from './element.js';
export { ImageDataset, type ImageArrays, type ImageSets, type LabelledImage } from './image-dataset.js';
export { cifar10, cifar100, fashionMnist, mnist, type CifarOptions, type ImageSetOptions } from './image-sets.js';
export { array, generator, zip, type DatasetContainer } from './sources.js';
