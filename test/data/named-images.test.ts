// MiniPlaces and CIFAR as their authors pack them: parts, classes, and records that are wrong.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { rejection } from '../harness/rejection.js';
import { idx, pattern, testFolder, warnings, write } from './made-files.js';

const message = (error: unknown): string => (error as Error).message;
describe('MiniPlaces', () => {
  const names = Array.from({ length: 100 }, (_, i) => `/a/place_${i} ${i}\n`).join('');
  const part = (count: number, step: number): [Buffer, Buffer] => [
    idx([count, 32, 32], pattern(count * 1024, step)),
    idx(
      [count],
      Uint8Array.from({ length: count }, (_, i) => 99 - i),
    ),
  ];
  const [[trainImages, trainLabels], [valImages, valLabels]] = [part(3, 5), part(2, 7)];
  const files = {
    'train-images-idx3-ubyte': trainImages,
    'train-labels-idx1-ubyte': trainLabels,
    'val-images-idx3-ubyte': valImages,
    'val-labels-idx1-ubyte': valLabels,
    'categories.txt': names,
  };

  test('has its official validation set, and the names of its classes', async () => {
    const folder = testFolder();
    write(folder, files);
    const { train, validation, test } = await sn.data.miniPlaces({ dataDir: folder });
    expect([train.size, validation.size, test.size, train.imageShape]).toEqual([3, 2, 0, [32, 32, 1]]);
    expect([train.classNames[99], train.numClasses, [...validation.labels]]).toEqual(['place_99', 100, [99, 98]]);
    expect([...validation.images]).toEqual([...pattern(2048, 7)]);
  });

  test.each([
    [
      'a line without a label',
      names.replace('place_7 7', 'place_7'),
      ':8: expected a name and a label, as "abbey 0", got "/a/place_7"',
    ],
    [
      'a label twice',
      names.replace('place_7 7', 'place_7 6'),
      ':8: expected labels from 0 to 99, each once, got "/a/place_7 6"',
    ],
    ['a label too many', `${names}/a/more 100\n`, ':101: expected labels from 0 to 99, each once'],
    ['a class too few', names.replace('/a/place_7 7\n', ''), ': expected 100 classes, got none with the label 7'],
  ])('refuses names with %s', async (_, categories, expected) => {
    const folder = testFolder();
    write(folder, { ...files, 'categories.txt': categories });
    const error = await rejection(sn.data.miniPlaces({ dataDir: folder }));
    expect(error.message).toContain(`data.miniPlaces: ${join(folder, 'categories.txt')}${expected}`);
  });
});

describe('CIFAR', () => {
  const record = (labels: number[], step: number): Uint8Array => Uint8Array.from([...labels, ...pattern(3072, step)]);
  const batch = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, i) => record([i], i + 1)));
  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

  test('10: five files one after the other, colours last', async () => {
    const folder = testFolder();
    write(folder, {
      ...Object.fromEntries(names.map((name) => [name, batch(2)])),
      'test_batch.bin.gz': gzipSync(batch(3)),
    });
    const { train, test } = await sn.data.cifar10({ dataDir: folder });
    expect([train.size, test.size, train.imageShape]).toEqual([10, 3, [32, 32, 3]]);
    expect([...train.labels]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const planes = pattern(3072, 3);
    const pixel = test.slice(2).images.subarray(3 * 777, 3 * 778);
    expect([...pixel]).toEqual([planes[777], planes[1024 + 777], planes[2048 + 777]]);
    expect(train.xs().shape).toEqual([10, 32, 32, 3]);
  });

  test('100: the fine label of two', async () => {
    const folder = testFolder();
    write(folder, { 'train.bin': record([19, 99], 1), 'test.bin': record([0, 42], 1) });
    const { train, test } = await sn.data.cifar100({ dataDir: folder });
    expect([train.labels[0], test.labels[0], train.numClasses, test.classNames[42]]).toEqual([99, 42, 100, 'leopard']);
    expect(new Set(train.classNames).size).toBe(100);
  });

  test('100: the coarse label when asked for', async () => {
    const folder = testFolder();
    write(folder, { 'train.bin': record([19, 99], 1), 'test.bin': record([0, 42], 1) });
    const { train, test } = await sn.data.cifar100({ dataDir: folder, labels: 'coarse' });
    expect([train.labels[0], test.labels[0], train.numClasses, train.classNames[19]]).toEqual([
      19,
      0,
      20,
      'vehicles_2',
    ]);
    expect(new Set(train.classNames).size).toBe(20);
    expect(message(await rejection(sn.data.cifar100({ dataDir: folder, labels: 'all' as 'fine' })))).toBe(
      "data.cifar100: labels: expected 'fine' or 'coarse', got \"all\"",
    );
  });

  test('leaves out records with a wrong label when told to', async () => {
    const folder = testFolder();
    write(folder, { bad: Buffer.concat([record([3], 1), record([10], 2), record([4], 3)]), good: batch(1) });
    const warned = warnings();
    const files = { train: ['bad'], test: ['good'] };
    const { train } = await sn.data.cifar10({ dataDir: folder, files, onBadRecord: 'skip', validation: 1 });
    expect([[...train.labels], train.skipped.count, train.images.length]).toEqual([[3], 1, 3072]);
    expect(await warned()).toEqual([
      `data.cifar10: left out 1 record, the first ${join(folder, 'bad')}: byte 3073: expected a label from 0 to 9, got 10`,
    ]);
  });

  test('reads other files of a folder when told to', async () => {
    const folder = testFolder();
    write(folder, { 'part.bin.gz': gzipSync(batch(4)), 'other.bin': batch(1) });
    const files = { train: ['part.bin.gz', 'other.bin'], test: ['other.bin'] };
    const { train, validation, test } = await sn.data.cifar10({ dataDir: folder, files, validation: 2 });
    expect([train.size, validation.size, test.size]).toEqual([3, 2, 1]);
    expect(message(await rejection(sn.data.cifar10({ files })))).toBe(
      'data.cifar10: files: expected dataDir as well, the folder they are in',
    );
  });

  test.each<[string, Uint8Array, string]>([
    ['empty', Buffer.alloc(0), 'expected records of 3073 bytes, got an empty file'],
    [
      'cut off',
      batch(2).subarray(0, 4000),
      'byte 3073: expected whole records of 3073 bytes, got 927 bytes; the file is cut off or of another format',
    ],
    [
      'with a label out of range',
      Buffer.concat([batch(1), record([10], 1)]),
      "byte 3073: expected a label from 0 to 9, got 10; onBadRecord: 'skip' leaves it out",
    ],
  ])('refuses a file that is %s', async (_, bytes, expected) => {
    const folder = testFolder();
    write(folder, { bad: bytes, good: batch(1) });
    const error = await rejection(
      sn.data.cifar10({ dataDir: folder, files: { train: ['good', 'bad'], test: ['good'] } }),
    );
    expect(error.code).toBe('ERR_FILE_FORMAT');
    expect(error.message).toBe(`data.cifar10: ${join(folder, 'bad')}: ${expected}`);
  });

  test('says which file cannot be read', async () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'good'), batch(1));
    const files = { train: ['good'], test: ['gone'] };
    expect(message(await rejection(sn.data.cifar10({ dataDir: folder, files })))).toMatch(
      /^data\.cifar10: .*gone: cannot be read: ENOENT/,
    );
  });
});
