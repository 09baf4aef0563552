// Image files from folders and lists: pixels against what sharp and the definitions of grey and L* give, orders and cuts that follow
// from the seed, and files that are no images.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';
import { rejection } from '../harness/rejection.js';
import { pattern, warnings } from './made-files.js';
import { folderOf, jpeg, pixels, png } from './made-images.js';

/** A PNG of one colour. */
const plain = (r: number, g: number, b: number): Promise<Buffer> =>
  sharp({ create: { width: 12, height: 8, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();

const size = [8, 12] as const;

describe('a folder of class folders', () => {
  test('gives the pixels that sharp decodes, and the labels of the sorted names', async () => {
    const folder = folderOf({
      'b/2.png': png,
      'a/deeper/1.JPG': jpeg,
      'a/notes.txt': 'x',
      '.hidden/x': '',
      'list.txt': 'x',
    });
    const { train, validation, test } = await sn.data.imageFolder(folder, { imageSize: size });
    expect([train.classNames, [...train.labels], train.size]).toEqual([['a', 'b'], [0, 1], 2]);
    expect([validation.size, test.size, train.imageShape, train.numClasses]).toEqual([0, 0, [8, 12, 3], 2]);
    expect(train.files).toEqual([join(folder, 'a/deeper/1.JPG'), join(folder, 'b/2.png')]);
    const [batch] = await train.batch(2).toArray();
    expect([batch!.xs.shape, batch!.xs.dtype, batch!.ys.arraySync()]).toEqual([
      [2, 8, 12, 3],
      'float32',
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    const expected = [await sharp(jpeg).raw().toBuffer(), Buffer.from(pixels(7))];
    expect([...batch!.xs.dataSync()]).toEqual(
      expected.flatMap((bytes) => [...bytes].map((byte) => Math.fround(byte / 255))),
    );
    const [single] = await train.skip(1).toArray();
    expect([single!.xs.shape, single!.ys.arraySync()]).toEqual([
      [8, 12, 3],
      [0, 1],
    ]);
    expect([...single!.xs.dataSync()]).toEqual([...batch!.xs.dataSync()].slice(288));
  });

  test.each<['rgb' | 'grayscale' | 'lightness', 'float32' | 'uint8', number, number]>([
    ['rgb', 'uint8', 3, 200],
    ['grayscale', 'float32', 1, 124 / 255],
    ['grayscale', 'uint8', 1, 124],
    ['lightness', 'float32', 1, 0.536295],
    ['lightness', 'uint8', 1, 137],
  ])('gives %s as %s', async (colorMode, dtype, channels, first) => {
    const folder = folderOf({ 'a/1.png': await plain(200, 100, 50) });
    const { train } = await sn.data.imageFolder(folder, { imageSize: size, colorMode, dtype });
    const [{ xs }] = (await train.batch(1).toArray()) as [sn.data.LabelledImage];
    expect([xs.shape, xs.dtype]).toEqual([[1, 8, 12, channels], dtype]);
    expect(Math.abs(xs.dataSync()[0]! - first)).toBeLessThan(1e-5);
  });

  test('takes grey, transparent and 16-bit files as colours', async () => {
    const folder = folderOf({
      'a/1.png': await sharp(pattern(96, 9), { raw: { width: 12, height: 8, channels: 1 } })
        .png()
        .toBuffer(),
      'a/2.png': await sharp(pattern(384, 9), { raw: { width: 12, height: 8, channels: 4 } })
        .png()
        .toBuffer(),
      'a/3.png': await sharp(png).toColourspace('rgb16').png().toBuffer(),
    });
    const { train } = await sn.data.imageFolder(folder, { imageSize: size, dtype: 'uint8' });
    const [{ xs }] = (await train.batch(3).toArray()) as [sn.data.LabelledImage];
    const bytes = [...xs.dataSync()];
    expect(bytes.slice(0, 288)).toEqual([...pattern(96, 9)].flatMap((value) => [value, value, value]));
    expect(bytes.slice(288, 576)).toEqual([...pattern(384, 9)].filter((_, i) => i % 4 !== 3));
    expect(bytes.slice(576)).toEqual([...pixels(7)]);
  });

  test('scales and cuts as asked', async () => {
    const folder = folderOf({ 'a/1.png': png });
    const pixelsOf = async (options: Partial<sn.data.ImageFolderOptions>): Promise<number[]> => {
      const { train } = await sn.data.imageFolder(folder, { imageSize: 4, dtype: 'uint8', ...options });
      const [{ xs }] = (await train.batch(1).toArray()) as [sn.data.LabelledImage];
      return [...xs.dataSync()];
    };
    for (const fit of ['cover', 'contain', 'fill'] as const) {
      expect(await pixelsOf({ fit })).toEqual([...(await sharp(png).resize(4, 4, { fit }).raw().toBuffer())]);
    }
    const cut = await sharp(png).extract({ left: 4, top: 2, width: 4, height: 4 }).raw().toBuffer();
    expect(await pixelsOf({ resize: size })).toEqual([...cut]);
  });

  test('cuts at random by the seed, anew for each pass', async () => {
    const folder = folderOf(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a/${i}.png`, png])));
    const passes = async (seed?: number): Promise<number[][]> => {
      const options = { imageSize: 3, resize: size, crop: 'random' as const, dtype: 'uint8' as const };
      const { train } = await sn.data.imageFolder(folder, seed === undefined ? options : { ...options, seed });
      const both = [await train.batch(9).toArray(), await train.batch(9).toArray()];
      return both.map(([batch]) => [...batch!.xs.dataSync()]);
    };
    const [one, same, other] = [await passes(3), await passes(3), await passes(4)];
    expect(one).toEqual(same);
    expect(one[0]).not.toEqual(one[1]);
    expect(one).not.toEqual(other);
    sn.setSeed(8);
    const first = await passes();
    sn.setSeed(8);
    expect(await passes()).toEqual(first);
    // Each is a piece of the image.
    const whole = pixels(7);
    const piece = (top: number, left: number): string =>
      [0, 1, 2]
        .map((row) => whole.subarray(36 * (top + row) + 3 * left, 36 * (top + row) + 3 * left + 9).join())
        .join();
    const pieces = new Set(Array.from({ length: 60 }, (_, i) => piece(i % 6, Math.floor(i / 6))));
    for (let i = 0; i < 9; i++) expect(pieces.has(one[0]!.slice(27 * i, 27 * i + 27).join())).toBe(true);
  });

  test('shuffles by the seed before anything is decoded, in the right pairs', async () => {
    const files: Record<string, Buffer> = {};
    for (let i = 0; i < 40; i++) files[`${i % 4}/${i}.png`] = await plain(i, 0, i % 4);
    const { train } = await sn.data.imageFolder(folderOf(files), { imageSize: 2, dtype: 'uint8', prefetch: 3 });
    const order = async (set: sn.data.Dataset<sn.data.LabelledImage>): Promise<number[]> => {
      const ids: number[] = [];
      for (const { xs, ys } of await set.batch(7).toArray()) {
        const [data, labels] = [xs.dataSync(), ys.argMax(1).dataSync()];
        labels.forEach((label, i) => {
          expect(data[12 * i + 2]).toBe(label);
          ids.push(data[12 * i]!);
        });
      }
      return ids;
    };
    const plainOrder = await order(train);
    expect(plainOrder.map((id) => id % 4)).toEqual([...train.labels]);
    const shuffled = await order(train.shuffle(40, 5));
    expect(shuffled).not.toEqual(plainOrder);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(await order(train.shuffle(40, 5))).toEqual(shuffled);
    expect(await order(train.shuffle(40, 5).take(9))).toEqual(shuffled.slice(0, 9));
  });

  test('has parts, or a share of each class for validation', async () => {
    const parts = folderOf({
      'train/a/1.png': png,
      'train/b/1.png': png,
      'val/b/2.png': png,
      'val/a/2.png': png,
      'test/a/3.png': png,
      'test/b/3.png': png,
    });
    const sets = await sn.data.imageFolder(parts, { imageSize: 2 });
    expect(
      [sets.train, sets.validation, sets.test].map(({ files }) => files.map((file) => file.slice(parts.length + 1))),
    ).toEqual([
      ['train/a/1.png', 'train/b/1.png'],
      ['val/a/2.png', 'val/b/2.png'],
      ['test/a/3.png', 'test/b/3.png'],
    ]);
    const shared = folderOf(
      Object.fromEntries(
        [...'12345'].flatMap((i) => [
          [`a/${i}.png`, png],
          [`b/${i}.png`, png],
        ]),
      ),
    );
    const { train, validation } = await sn.data.imageFolder(shared, { imageSize: 2, validation: 0.4 });
    expect([[...train.labels], [...validation.labels]]).toEqual([
      [0, 0, 0, 1, 1, 1],
      [0, 0, 1, 1],
    ]);
    expect(validation.files[0]).toBe(join(shared, 'a/4.png'));
  });

  test('trains a model and leaves no tensors', async () => {
    const files: Record<string, Buffer> = {};
    for (let i = 0; i < 24; i++) files[`${i % 2}/${i}.png`] = await plain(i % 2 === 0 ? 250 : 5, 128, 128);
    const { train } = await sn.data.imageFolder(folderOf(files), { imageSize: 4 });
    const model = sn.sequential({
      layers: [sn.layers.flatten({ inputShape: [4, 4, 3] }), sn.layers.dense({ units: 2, activation: 'softmax' })],
    });
    model.compile({ optimizer: sn.train.adam(0.1), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const batches = train.shuffle(24, 1).batch(8);
    await model.fitDataset(batches, { epochs: 1, verbose: 0 });
    const before = await liveTensors();
    const { history } = await model.fitDataset(batches, { epochs: 8, verbose: 0 });
    expect(await liveTensors()).toBe(before);
    expect(history['acc']!.at(-1)).toBe(1);
  });

  test('can be left early, and started many times', async () => {
    const { train } = await sn.data.imageFolder(
      folderOf(Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`a/${i}.png`, png]))),
      { imageSize: 2, workers: 1 },
    );
    for (let i = 0; i < 3; i++)
      for await (const { xs, ys } of train.batch(4)) {
        sn.dispose([xs, ys]);
        break;
      }
    expect((await train.batch(70).toArray())[0]!.xs.shape[0]).toBe(70);
  });
});

describe('a file that is no image', () => {
  const wrong: [string, () => Uint8Array | string, RegExp][] = [
    ['a JPEG that is cut off', () => jpeg.subarray(0, jpeg.length - 60), /2\.jpg: cannot be decoded: /],
    ['text', () => 'not an image', /unsupported image format/],
    ['empty', () => '', /2\.jpg: cannot be decoded: /],
  ];
  test.each(wrong)('%s ends the pass, or is left out, counted and named', async (_, content, reason) => {
    const folder = folderOf({ 'a/1.png': png, 'b/2.jpg': content(), 'b/3.png': png });
    const bad = join(folder, 'b/2.jpg');
    const { train } = await sn.data.imageFolder(folder, { imageSize: 2 });
    const error = await rejection(train.batch(3).toArray());
    expect(error.code).toBe('ERR_FILE_FORMAT');
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(`data.imageFolder: ${bad}: `);
    expect(error.message).toMatch(/; onBadRecord: 'skip' leaves it out$/);
    const warned = warnings();
    const { train: left } = await sn.data.imageFolder(folder, { imageSize: 2, onBadRecord: 'skip' });
    expect(left.size).toBe(null);
    for (let pass = 0; pass < 2; pass++) {
      const [batch] = await left.batch(3).toArray();
      expect([batch!.xs.shape[0], batch!.ys.arraySync()]).toEqual([
        2,
        [
          [1, 0],
          [0, 1],
        ],
      ]);
    }
    expect([left.skipped.count, left.skipped.first[0]!.file]).toEqual([1, bad]);
    expect(await warned()).toEqual([
      expect.stringContaining(`data.imageFolder: left out 1 record, the first ${bad}: `),
    ]);
  });

  test('or is gone by the time it is read', async () => {
    const folder = folderOf({ 'a/1.png': png });
    const { train } = await sn.data.imageFolder(folder, { imageSize: 2 });
    rmSync(join(folder, 'a/1.png'));
    expect((await rejection(train.toArray())).message).toMatch(/a\/1\.png: cannot be decoded: Input file is missing/);
  });

  test('or has a name that is no text', async () => {
    const folder = folderOf({ 'a/1.png': png });
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'a/x')), Buffer.from([0xff]), Buffer.from('.png')]), png);
    expect((await rejection(sn.data.imageFolder(folder, { imageSize: 2 }))).message).toContain(
      'expected a name in UTF-8, got other bytes',
    );
    const warned = warnings();
    const { train } = await sn.data.imageFolder(folder, { imageSize: 2, onBadRecord: 'skip' });
    expect([train.files.length, train.skipped.count, (await warned()).length]).toEqual([1, 1, 1]);
  });
});

describe('a folder that is not as it should be', () => {
  test('has a class without images', async () => {
    const folder = folderOf({ 'a/1.png': png, 'b/readme.txt': 'x' });
    expect((await rejection(sn.data.imageFolder(folder, { imageSize: 2 }))).message).toBe(
      `data.imageFolder: ${join(folder, 'b')}: expected images (.jpg, .jpeg, .png) of a class, got none; onBadRecord: 'skip' leaves it out`,
    );
    const warned = warnings();
    const { train } = await sn.data.imageFolder(folder, { imageSize: 2, onBadRecord: 'skip' });
    expect([train.classNames, train.files.length, train.skipped.count, (await warned()).length]).toEqual([
      ['a', 'b'],
      1,
      1,
      1,
    ]);
  });

  test.each<[string, Record<string, string>, Partial<sn.data.ImageFolderOptions>, RegExp]>([
    ['has no classes', { 'readme.txt': 'x' }, {}, /: expected a folder for each class, got none$/],
    [
      'has another class',
      { 'c/1.png': '' },
      { classNames: ['a', 'b'] },
      /: expected folders of the classes a, b, got c$/,
    ],
    ['has no size', {}, { imageSize: 0 }, /imageSize: expected a number of pixels, or \[height, width\], got 0$/],
    ['has a size of three', {}, { imageSize: [2, 2, 3] as never }, /imageSize: expected a number of pixels/],
    ['is scaled to less than is cut', {}, { resize: 1 }, /resize: expected at least imageSize, \[2,2\], got \[1,1\]$/],
    ['has another fit', {}, { fit: 'inside' as 'fill' }, /fit: expected 'cover' or 'contain' or 'fill', got "inside"$/],
    [
      'has another colour',
      {},
      { colorMode: 'lab' as 'rgb' },
      /colorMode: expected 'rgb' or 'grayscale' or 'lightness', got "lab"$/,
    ],
    ['has no threads', {}, { workers: 0 }, /workers: expected an integer of at least 1, got 0$/],
    ['has a seed that is none', {}, { seed: 0.5 }, /seed: expected a safe integer, got 0.5$/],
    ['has a share of 1', {}, { validation: 1 }, /validation: expected a share from 0 to 1, got 1$/],
  ])('%s', async (_, files, options, message) => {
    const folder = folderOf(Object.keys(files).length > 0 ? files : { 'a/1.png': 'x' });
    expect((await rejection(sn.data.imageFolder(folder, { imageSize: 2, ...options }))).message).toMatch(message);
  });

  test('is not there', async () => {
    expect((await rejection(sn.data.imageFolder('/nowhere', { imageSize: 2 }))).message).toMatch(
      /^data\.imageFolder: \/nowhere: cannot be read: ENOENT/,
    );
  });
});
