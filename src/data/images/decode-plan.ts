// What a decoding thread is told: which files, and what their pixels are to become. Plain data, for it crosses threads.

/** What a pixel is. */
export type ColorMode = 'rgb' | 'grayscale' | 'lightness';

/** How an image comes to its size: `exact`: it must have it already. */
export type Fit = 'cover' | 'contain' | 'fill' | 'exact';

/** What becomes of each image. */
export interface DecodePlan {
  /** Height and width of the result. */
  readonly size: readonly [number, number];
  /** Height and width that the image is scaled to, before `size` is cut out of it. */
  readonly resize: readonly [number, number];
  readonly fit: Fit;
  readonly colorMode: ColorMode;
  readonly dtype: 'uint8' | 'float32';
}

/** A few images; decoded together, they cost one message each way. */
export interface DecodeTask {
  readonly id: number;
  readonly plan: DecodePlan;
  /** Paths, or what is in the files. */
  readonly sources: readonly (string | Uint8Array)[];
  /** Top and left of each cut, two numbers an image. */
  readonly corners: Int32Array;
}

/** Their pixels one after the other, and which of them could not be decoded. */
export interface DecodeResult {
  readonly id: number;
  readonly pixels: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  readonly faults: readonly { readonly index: number; readonly reason: string }[];
}

/** A thread's first message: whether it can decode at all. */
export interface DecoderReady {
  readonly ready: boolean;
  readonly reason: string;
}

/** Colours of a pixel. */
export function channelsOf({ colorMode }: Pick<DecodePlan, 'colorMode'>): number {
  return colorMode === 'rgb' ? 3 : 1;
}

/** Whether pixels leave the thread as numbers from 0 to 1 rather than bytes. */
export function isFloat({ colorMode, dtype }: Pick<DecodePlan, 'colorMode' | 'dtype'>): boolean {
  return colorMode === 'lightness' && dtype === 'float32';
}
