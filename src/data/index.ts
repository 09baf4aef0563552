// The namespace `data`.
export { Dataset } from './dataset.js';
export { ImageDataset, type ImageArrays, type ImageSets, type LabelledImage } from './image-dataset.js';
export type { Batched } from './element.js';
export { array, generator, zip, type DatasetContainer } from './sources.js';
