// Image files that lists name: lists of one's own, the named sets of photographs, and CIFAR-10 as JPEG records.
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { rejection } from '../harness/rejection.js';
import { pattern, warnings } from './made-files.js';
import { folderOf, jpeg, png } from './made-images.js';

describe('a list', () => {
  const classNames = ['a', 'b'];
  test('names files and labels', async () => {
    const folder = folderOf({ 'images/x y.png': png, 'images/z.png': png, 'list.txt': '/x y.png 1\nz.png 0\n' });
    const set = await sn.data.imageList(join(folder, 'list.txt'), {
      folder: join(folder, 'images'),
      classNames,
      imageSize: 2,
    });
    const [batch] = await set.batch(2).toArray();
    expect(batch!.ys.arraySync()).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  test.each([
    ['x.png', 'expected a path and a label, got "x.png"'],
    ['x.png 2', 'expected a label from 0 to 1, got 2'],
    ['', 'expected a path and a label, got ""'],
  ])('with the line %j is refused, or has it left out', async (line, expected) => {
    const folder = folderOf({ 'z.png': png, 'list.txt': `z.png 0\n${line}\nz.png 1\n` });
    const list = join(folder, 'list.txt');
    const options = { folder, classNames, imageSize: 2 };
    expect((await rejection(sn.data.imageList(list, options))).message).toContain(
      `data.imageList: ${list}:2: ${expected}`,
    );
    const warned = warnings();
    const set = await sn.data.imageList(list, { ...options, onBadRecord: 'skip' });
    expect([[...set.labels], set.skipped.count, (await warned()).length]).toEqual([[0, 1], 1, 1]);
  });
});

describe('a named set of photographs', () => {
  const names = (count: number): string =>
    Array.from({ length: count }, (_, i) => `/${'abc'[i % 3]}/place_${i} ${i}\n`).join('');

  test.each<[string, (png: Buffer) => Record<string, Buffer | string>, string]>([
    [
      'Places365 with its lists',
      (image) => ({
        'categories_places365.txt': names(365),
        'places365_train_standard.txt': '/a/place_0/1.jpg 0\n/b/place_364/2.jpg 364\n',
        'places365_val.txt': 'Places365_val_1.jpg 7\n',
        'data_256/a/place_0/1.jpg': image,
        'data_256/b/place_364/2.jpg': image,
        'val_256/Places365_val_1.jpg': image,
      }),
      'place_364',
    ],
    [
      'Places365 in class folders',
      (image) => ({
        'places365_standard/train/abbey/1.jpg': image,
        'places365_standard/train/zoo/2.jpg': image,
        'places365_standard/val/abbey/3.jpg': image,
        'places365_standard/val/zoo/4.jpg': image,
      }),
      'zoo',
    ],
  ])('%s', async (_, files, last) => {
    const { train, validation, test } = await sn.data.places365({
      dataDir: folderOf(files(png)),
      imageSize: 2,
      colorMode: 'lightness',
    });
    expect([train.files.length, train.classNames.at(-1), test.size]).toEqual([2, last, 0]);
    const [batch] = await train.batch(2).toArray();
    expect([batch!.xs.shape, batch!.ys.shape[1]]).toEqual([[2, 2, 2, 1], train.numClasses]);
    expect((await validation.batch(2).toArray())[0]!.xs.shape[0]).toBe(validation.files.length);
  });

  test('MiniPlaces with its lists', async () => {
    const dataDir = folderOf({
      'categories.txt': names(100),
      'train.txt': 'train/a/place_0/1.jpg 0\n',
      'val.txt': 'val/1.jpg 99\n',
      'images/train/a/place_0/1.jpg': png,
      'images/val/1.jpg': png,
    });
    const { train, validation } = await sn.data.miniPlacesPhotos({ dataDir, imageSize: 2 });
    expect([train.size, [...validation.labels], (await validation.toArray()).length]).toEqual([1, [99], 1]);
  });
});

describe('CIFAR-10 as JPEG records', () => {
  let image: Buffer;
  beforeAll(async () => {
    image = await sharp(pattern(3072, 3), { raw: { width: 32, height: 32, channels: 3 } })
      .jpeg()
      .toBuffer();
  });
  const record = (label: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([label, bytes.length & 255, bytes.length >> 8]), bytes]);

  test('is decoded, and marked as lossy', async () => {
    const dataDir = folderOf({
      'train_jpeg.bin': Buffer.concat([record(3, image), record(9, image)]),
      'test_jpeg.bin': record(0, image),
    });
    const { train, test, lossy } = await sn.data.cifar10({ dataDir });
    expect([train.size, [...train.labels], test.size, lossy]).toEqual([2, [3, 9], 1, true]);
    expect([...train.images.subarray(3072)]).toEqual([...(await sharp(image).raw().toBuffer())]);
  });

  test.each<[string, () => Buffer, RegExp, number]>([
    [
      'cut off',
      () => Buffer.concat([record(1, image), record(2, image).subarray(0, 50)]),
      /byte \d+ \(record 1\): expected a whole record, got the end; the file is cut off/,
      1,
    ],
    [
      'with another label',
      () => Buffer.concat([record(1, image), record(10, image)]),
      /\(record 1\): expected a label from 0 to 9, got 10/,
      1,
    ],
    [
      'with a broken image',
      () => Buffer.concat([record(1, image), record(2, Buffer.from('no')), record(3, image)]),
      /\(record 1\): .*unsupported image format/,
      2,
    ],
    [
      'with an image of another size',
      () => Buffer.concat([record(1, jpeg), record(3, image)]),
      /\(record 0\): cannot be decoded: expected 32 x 32 pixels, got 12 x 8/,
      1,
    ],
  ])('that are %s end the reading, or are left out', async (_, bytes, message, left) => {
    const dataDir = folderOf({ 'train_jpeg.bin': bytes(), 'test_jpeg.bin': record(0, image) });
    expect((await rejection(sn.data.cifar10({ dataDir }))).message).toMatch(message);
    const warned = warnings();
    const { train } = await sn.data.cifar10({ dataDir, onBadRecord: 'skip' });
    expect([train.size, train.skipped.count, (await warned()).length]).toEqual([left, 1, 1]);
  });
});
