// Small JPEG and PNG images made for a test, and folders with them.
import sharp from 'sharp';
import { pattern, testFolder, write } from './made-files.js';

/** How sharp is to take the pixels: 8 rows of 12. */
export const raw = { raw: { width: 12, height: 8, channels: 3 as const } };
export const pixels = (step: number): Uint8Array => pattern(12 * 8 * 3, step);
export const jpeg = await sharp(pixels(5), raw).jpeg({ quality: 90 }).toBuffer();
export const png = await sharp(pixels(7), raw).png().toBuffer();

/** A folder of class folders with files in them. */
export function folderOf(files: Record<string, Uint8Array | string>): string {
  const folder = testFolder();
  write(folder, files);
  return folder;
}
