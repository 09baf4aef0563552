// Image files: JPEGs made for the run, photographs' size and small ones, decoded by sharp alone with the same pipeline and as many under
// way, and by data.imageFolder into batches of tensors.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import * as sn from '../../src/index.js';
import { measured, type Trial } from './measured.js';

interface Size {
  readonly name: string;
  readonly side: number;
  readonly to: number;
  readonly count: number;
}

const SIZES: readonly Size[] = [
  { name: '256 to 128', side: 256, to: 128, count: 400 },
  { name: '32', side: 32, to: 32, count: 1200 },
];
const CLASSES = 10;
const AT_ONCE = 8;
const BATCH = 128;

/** JPEGs of blurred noise, which has detail as photographs have. */
async function makeImages(folder: string, { side, count }: Size): Promise<void> {
  for (let label = 0; label < CLASSES; label++) mkdirSync(join(folder, String(label)), { recursive: true });
  for (let i = 0; i < count; i++) {
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
    await sharp({ create: { width: side, height: side, channels: 3, background: '#888', noise } })
      .blur(1)
      .jpeg({ quality: 85 })
      .toFile(join(folder, String(i % CLASSES), `${i}.jpg`));
  }
}

async function decodeAlone(files: readonly string[], side: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < files.length) {
      const image = sharp(files[next++]).toColourspace('srgb').removeAlpha();
      await image.resize({ width: side, height: side, fit: 'cover' }).raw().toBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function drain(set: sn.data.ImageFiles): Promise<void> {
  for await (const { xs, ys } of set.batch(BATCH)) sn.dispose([xs, ys]);
}

/** Trials on images of each size; `dispose` removes the files. */
export async function imageTrials(): Promise<{ readonly trials: Trial[]; readonly dispose: () => void }> {
  const root = mkdtempSync(join(tmpdir(), 'selfnorm-bench-'));
  const trials: Trial[] = [];
  for (const size of SIZES) {
    const folder = join(root, size.name);
    await makeImages(folder, size);
    const make = async (colorMode: 'rgb' | 'lightness', dtype: 'float32' | 'uint8'): Promise<sn.data.ImageFiles> =>
      (await sn.data.imageFolder(folder, { imageSize: size.to, colorMode, dtype })).train;
    const bytes = await make('rgb', 'uint8');
    const colours = await make('rgb', 'float32');
    const lightness = await make('lightness', 'float32');
    const alone = `images ${size.name}, sharp alone`;
    const common = { count: size.count, unit: 'images' };
    const held = { ...common, against: alone };
    trials.push(
      { ...common, name: alone, run: () => measured(() => decodeAlone(bytes.files, size.to)) },
      { ...held, name: `images ${size.name}, uint8`, run: () => measured(() => drain(bytes)) },
      { ...held, name: `images ${size.name}, float32`, run: () => measured(() => drain(colours)) },
      { ...held, name: `images ${size.name}, lightness`, run: () => measured(() => drain(lightness)) },
    );
  }
  return { trials, dispose: () => rmSync(root, { recursive: true, force: true }) };
}
