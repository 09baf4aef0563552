// Reading image files: the real MNIST, small made sets in every spelling and place, and a table of files that are not what they
// should be, each with its one error.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import { parseIdx } from '../../src/data/images/idx.js';
import * as backend from '../../src/tensor/backend.js';
import { rejection } from '../harness/rejection.js';
import { idx, mnistFiles, packed, pattern, testFolder, warnings, write } from './made-files.js';

const message = (error: unknown): string => (error as Error).message;
describe('the real MNIST', () => {
  test('has 60,000 and 10,000 images, the known first labels and the known mean', async () => {
    const { train, validation, test } = await sn.data.mnist();
    expect([train.size, validation.size, test.size]).toEqual([60000, 0, 10000]);
    expect([...train.labels.subarray(0, 4)]).toEqual([5, 0, 4, 1]);
    expect([...test.labels.subarray(0, 4)]).toEqual([7, 2, 1, 0]);
    const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length;
    expect(mean).toBeCloseTo(33.318, 3);
    // Counts a class, as published with the data.
    const counts = Array.from({ length: 10 }, (_, label) => train.labels.filter((each) => each === label).length);
    expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    const xs = test.xs();
    expect(xs.shape).toEqual([10000, 28, 28, 1]);
    expect(sn.mean(xs).dataSync()[0]).toBeCloseTo(33.791 / 255, 4);
    expect(sn.max(xs).dataSync()[0]).toBe(1);
  });

  test('gives its last fifth for validation', async () => {
    const whole = await sn.data.mnist();
    const { train, validation } = await sn.data.mnist({ validation: 0.2 });
    expect([train.size, validation.size]).toEqual([48000, 12000]);
    expect(validation.labels).toEqual(whole.train.labels.subarray(48000));
    expect(validation.images.subarray(0, 784)).toEqual(whole.train.images.subarray(48000 * 784, 48001 * 784));
  });
});

describe('a made set', () => {
  const files = mnistFiles(13, 4);

  test.each<[string, Record<string, Uint8Array>]>([
    ['as they are', files],
    ['packed', packed(files)],
    [
      'in a folder of the set',
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`mnist/${name}`, bytes])),
    ],
    [
      'where torchvision puts them',
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`MNIST/raw/${name}`, bytes])),
    ],
    [
      'with a dot for the dash',
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name.replace('-idx', '.idx'), bytes])),
    ],
  ])('is read %s', async (_, stored) => {
    const folder = testFolder();
    write(folder, stored);
    const { train, test } = await sn.data.mnist({ dataDir: folder });
    expect([...train.images]).toEqual([...pattern(13 * 784)]);
    expect([...train.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
    expect([...test.images]).toEqual([...pattern(4 * 784, 11)]);
  });

  test('gives tensors scaled to [0, 1], one-hot and as classes', async () => {
    const folder = testFolder();
    write(folder, files);
    const { test } = await sn.data.fashionMnist({ dataDir: folder });
    const [xs, ys, classes] = [test.xs(), test.ys(), test.classes()];
    expect([xs.shape, xs.dtype, ys.shape, ys.dtype]).toEqual([[4, 28, 28, 1], 'float32', [4, 10], 'float32']);
    expect([...xs.dataSync()]).toEqual([...pattern(4 * 784, 11)].map((byte) => Math.fround(byte / 255)));
    expect(ys.arraySync()).toEqual(sn.eye(10).slice([0, 0], [4, 10]).arraySync());
    expect([classes.dtype, classes.arraySync()]).toEqual(['int32', [0, 1, 2, 3]]);
    expect([test.numClasses, test.classNames[9]]).toEqual([10, 'Ankle boot']);
  });

  test('batches are the elements stacked, in any order, and leave no tensors', async () => {
    const folder = testFolder();
    write(folder, files);
    const { train } = await sn.data.mnist({ dataDir: folder });
    const before = sn.memory().numTensors;
    const gathered = await train.shuffle(9, 3).skip(1).batch(5).toArray();
    // A map, even one that changes nothing, takes the way over single elements.
    const stacked = await train
      .shuffle(9, 3)
      .skip(1)
      .map((element) => element)
      .batch(5)
      .toArray();
    expect(gathered.map(({ xs }) => xs.shape[0])).toEqual([5, 5, 2]);
    gathered.forEach(({ xs, ys }, i) => {
      expect(xs.arraySync()).toEqual(stacked[i]!.xs.arraySync());
      expect(ys.arraySync()).toEqual(stacked[i]!.ys.arraySync());
      expect([xs.dtype, ys.dtype]).toEqual([stacked[i]!.xs.dtype, stacked[i]!.ys.dtype]);
    });
    sn.dispose([gathered, stacked]);
    await train
      .repeat(2)
      .shuffle(4)
      .batch(3)
      .prefetch(2)
      .forEachAsync(() => undefined);
    expect(sn.memory().numTensors).toBe(before);
  });

  test.each<[number, number[] | string]>([
    [0, [13, 0]],
    [0.25, [9, 4]],
    [3, [10, 3]],
    [12, [1, 12]],
    [13, 'data.mnist: validation: expected fewer images than the 13 for training, got 13'],
    [-1, 'data.mnist: validation: expected a share of the training images from 0 to 1, or a number of them, got -1'],
    [1.5, 'data.mnist: validation: expected a share'],
    [NaN, 'data.mnist: validation: expected a share'],
  ])('takes %d images for validation', async (validation, expected) => {
    const folder = testFolder();
    write(folder, files);
    const sets = sn.data.mnist({ dataDir: folder, validation });
    if (typeof expected === 'string') expect(message(await rejection(sets))).toContain(expected);
    else expect([(await sets).train.size, (await sets).validation.size]).toEqual(expected);
  });

  test('a batch for the CPU needs no op, which would wait for the step that is running', async () => {
    const folder = testFolder();
    write(folder, files);
    const { train } = await sn.data.mnist({ dataDir: folder });
    const ops = vi.spyOn(backend, 'runOne');
    const batches = await sn.withDevice('cpu', () => train.batch(5).toArray());
    expect(ops).not.toHaveBeenCalled();
    sn.dispose(batches.flatMap(({ xs, ys }) => [xs, ys]));
    ops.mockRestore();
  });

  test('may hold no images', async () => {
    const folder = testFolder();
    write(folder, mnistFiles(0, 0));
    const { train } = await sn.data.mnist({ dataDir: folder });
    expect(train.size).toBe(0);
    expect([train.xs().shape, train.ys().shape]).toEqual([
      [0, 28, 28, 1],
      [0, 10],
    ]);
    expect(await train.batch(3).toArray()).toEqual([]);
  });

  test('slices from either end', async () => {
    const folder = testFolder();
    write(folder, files);
    const { train } = await sn.data.mnist({ dataDir: folder });
    expect([...train.slice(2, 5).labels]).toEqual([2, 3, 4]);
    expect([...train.slice(-2).labels]).toEqual([1, 2]);
    expect(train.slice(9, 3).size).toBe(0);
    expect(train.slice(0, 99).size).toBe(13);
  });
});

describe('a file that is not what it should be', () => {
  const images = 'train-images-idx3-ubyte';
  const labels = 'train-labels-idx1-ubyte';
  const good = mnistFiles(3, 1);
  const [image, label] = [good[images]!, good[labels]!];
  const gz = gzipSync(image);
  const flipped = Buffer.from(gz);
  flipped[gz.length - 5]! ^= 0xff;

  test.each<[what: string, file: string, bytes: Uint8Array, expected: string]>([
    [
      'empty',
      images,
      Buffer.alloc(0),
      'byte 0: expected the magic number 0x00000803 of IDX of unsigned bytes with 3 axes, got the end',
    ],
    [
      'cut off in the magic number',
      labels,
      label.subarray(0, 3),
      'byte 3: expected the magic number 0x00000801 of IDX of unsigned bytes with 1 axis, got the end',
    ],
    ['cut off in the sizes', images, image.subarray(0, 10), 'byte 10: expected 3 sizes up to byte 16, got the end'],
    [
      'cut off in the images',
      images,
      image.subarray(0, 2000),
      'byte 2000: expected values up to byte 2368 (3 items of shape [28,28]), got the end; the file is cut off',
    ],
    [
      'too long',
      images,
      Buffer.concat([image, Buffer.from('xyz')]),
      'byte 2368: expected the end (3 items of shape [28,28]), got 3 bytes more',
    ],
    [
      'labels for images',
      images,
      label,
      'byte 0: expected the magic number 0x00000803 of IDX of unsigned bytes with 3 axes, got 0x00000801; it holds labels: labels and images may have changed places',
    ],
    ['images for labels', labels, image, 'got 0x00000803; it holds images: labels and images may have changed places'],
    [
      'a web page',
      images,
      Buffer.from('<!DOCTYPE html>'),
      'got 0x3c21444f ("<!DO"); it looks like a web page: the download gave something else',
    ],
    [
      'a zip archive',
      images,
      Buffer.from('PK\x03\x04rest of it'),
      'byte 0: expected the magic number 0x00000803 of IDX of unsigned bytes with 3 axes, got 0x504b0304; it is a zip archive: unpack it',
    ],
    [
      'IDX of floats',
      images,
      idx([3, 28, 28], pattern(3 * 784 * 4), 13),
      'byte 0: expected the magic number 0x00000803 of IDX of unsigned bytes with 3 axes, got 0x00000d03',
    ],
    [
      'images of another size',
      images,
      idx([3, 28, 27], pattern(3 * 28 * 27)),
      'byte 12: expected size 28 of axis 2, got 27',
    ],
    [
      'a count that is far too large',
      images,
      idx([0xffffffff, 28, 28], pattern(784)),
      'byte 800: expected values up to byte 3367254359296 (4294967295 items of shape [28,28]), got the end',
    ],
    [
      'a label out of range',
      labels,
      idx([3], Uint8Array.from([1, 10, 2])),
      'byte 9: expected a label from 0 to 9, got 10',
    ],
    ['fewer labels than images', labels, idx([2], pattern(2, 1)), 'expected 3 labels, one for each image of '],
    [
      'gzip that is cut off',
      `${images}.gz`,
      gz.subarray(0, gz.length - 20),
      "expected whole gzip data, got the file's end after",
    ],
    ['gzip with a wrong checksum', `${images}.gz`, flipped, 'expected whole gzip data, got incorrect'],
    [
      'gzip with something behind it',
      `${images}.gz`,
      Buffer.concat([gz, Buffer.from('\0\0\0\0')]),
      `byte ${gz.length}: expected the end of the gzip data, got 4 bytes more`,
    ],
    [
      'only the beginning of gzip',
      `${images}.gz`,
      Buffer.from([0x1f, 0x8b]),
      "expected whole gzip data, got the file's end after 2 bytes",
    ],
    ['gzip of something else', `${images}.gz`, gzipSync('hello'), 'got 0x68656c6c ("hell")'],
  ])('%s', async (_, file, bytes, expected) => {
    const folder = testFolder();
    const others = Object.entries(good).filter(([name]) => !file.startsWith(name));
    write(folder, { ...Object.fromEntries(others), [file]: bytes });
    const error = await rejection(sn.data.mnist({ dataDir: folder }));
    expect(error.code).toBe('ERR_FILE_FORMAT');
    expect(error.message).toContain(`data.mnist: ${join(folder, file)}: `);
    expect(error.message).toContain(expected);
  });

  test('a folder under the name of a file', async () => {
    const folder = testFolder();
    const others = Object.entries(good).filter(([name]) => name !== images);
    write(folder, { ...Object.fromEntries(others), [`${images}/inside`]: 'x' });
    const error = await rejection(sn.data.mnist({ dataDir: folder }));
    expect(error.message).toMatch(/train-images-idx3-ubyte: cannot be read: EISDIR/);
  });

  test('any bytes at all give an error or values, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, isMagic) => {
        if (isMagic) bytes.set([0, 0, 8, 3].slice(0, bytes.length));
        try {
          const { shape, values } = parseIdx('op', 'file', bytes, [2, 2]);
          expect([shape.length, values.length]).toEqual([3, shape[0]! * 4]);
        } catch (error) {
          expect(error).toBeInstanceOf(sn.FileFormatError);
          expect(message(error)).toMatch(/^op: file: byte \d+: expected .*, got /);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a label that is no class leaves its image out when told to', async () => {
    const folder = testFolder();
    write(folder, { ...good, [labels]: idx([3], Uint8Array.from([1, 10, 2])) });
    const warned = warnings();
    const { train } = await sn.data.mnist({ dataDir: folder, onBadRecord: 'skip' });
    expect([[...train.labels], train.skipped.count, (await warned()).length]).toEqual([[1, 2], 1, 1]);
    expect([...train.images]).toEqual([...pattern(3 * 784).subarray(0, 784), ...pattern(3 * 784).subarray(2 * 784)]);
  });

  test('missing files are all named, with where they were looked for', async () => {
    const folder = testFolder();
    write(folder, { [images]: image });
    const error = await rejection(sn.data.mnist({ dataDir: folder }));
    expect(error.message).toBe(
      `data.mnist: dataDir: expected 4 files of mnist, gzip or not, in ${folder} (looked in it, mnist, MNIST/raw); missing: ` +
        'train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte',
    );
  });
});
