// The command line without training: what is wrong with it is said in one line, with the exit code that belongs to it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.js';
import { EXPERIMENTS } from '../../src/experiments/registry.js';

let folder: string;
let out: string;
let err: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-cli-'));
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

/** The exit code of a command line that must fail with one line. */
async function fails(...args: string[]): Promise<number> {
  const code = await main(args);
  expect(err.trimEnd().split('\n')).toHaveLength(1);
  expect(out).toBe('');
  return code;
}

describe('a command line that is wrong ends with code 2 and says what was meant', () => {
  test.each([
    [['run', 'mnist-elo'], "unknown experiment 'mnist-elo' (did you mean mnist-elu?)"],
    [['run', 'mnist-elu', '--epocs', '3'], "unknown option '--epocs' (did you mean --epochs?)"],
    [['rnu'], "unknown command 'rnu' (did you mean run?)"],
    [['run', 'mnist-elu', '--epochs', 'x'], "argument 'x' is invalid. Expected a whole number of at least 1"],
    [['run', 'mnist-elu', '--epochs', '0'], "argument '0' is invalid"],
    [['run', 'mnist-elu', '--epochs', '1.5'], "argument '1.5' is invalid"],
    [['run', 'mnist-elu', '--seed', '-1'], "argument '-1' is invalid"],
    [['run', 'mnist-elu', '--seeds'], "option '--seeds <n>' argument missing"],
    [['run', 'mnist-elu', '--quick', '--full'], "option '--quick' cannot be used with option '--full'"],
    [['list', '--jsn'], "unknown option '--jsn' (did you mean --json?)"],
  ])('%j', async (args, message) => {
    expect(await fails(...args)).toBe(2);
    expect(err).toContain(message);
  });
});

describe('list', () => {
  test('names every experiment, its document and its sizes', async () => {
    expect(await main(['list'])).toBe(0);
    for (const { name, document, sizes } of EXPERIMENTS) {
      expect(out).toContain(`${name}\n  document ${document}`);
      for (const size of Object.values(sizes)) expect(out).toContain(size);
    }
  });

  test('is JSON for machines', async () => {
    expect(await main(['list', '--json'])).toBe(0);
    const rows = JSON.parse(out) as { name: string }[];
    expect(rows.map(({ name }) => name)).toEqual(EXPERIMENTS.map(({ name }) => name));
  });
});

test('help for an experiment tells what each size runs', async () => {
  expect(await main(['run', 'mnist-elu', '--help'])).toBe(0);
  expect(out.replace(/\s+/g, ' ')).toContain(EXPERIMENTS[0]!.sizes.quick);
});

describe('before anything is trained', () => {
  test('a folder that cannot be made is refused', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await fails('run', 'mnist-elu', '--out', join(folder, 'file'))).toBe(1);
    expect(err).toContain('--out: cannot write to');
    err = '';
    expect(await fails('run', 'mnist-elu', '--out', join(folder, 'file', 'below'))).toBe(1);
    expect(err).toContain('part of the path is a file, not a folder');
    err = '';
    // The system's own folder, in which not even root makes any.
    expect(await fails('run', 'mnist-elu', '--out', '/proc/selfnorm')).toBe(1);
    expect(err).toContain('--out: cannot write to /proc/selfnorm');
  });

  test('a run is not written over', async () => {
    const settings = { experiment: 'mnist-elu', size: 'quick', seed: 1, device: 'cpu' };
    writeFileSync(join(folder, 'run.json'), JSON.stringify({ selfnorm: '0', settings, started: '', seconds: 0 }));
    expect(await fails('run', 'mnist-elu', '--quick', '--out', folder)).toBe(1);
    expect(err).toContain('go on with --resume, or name another folder');
  });

  test('a device that is not there is named', async () => {
    expect(await fails('run', 'mnist-elu', '--device', 'tpu', '--out', join(folder, 'a'))).toBe(1);
    expect(err).toContain(`expected 'cpu', 'cuda' or 'cuda:N', got "tpu"`);
  });

  test('data that is not there is named', async () => {
    const code = await main([
      'run',
      'mnist-elu',
      '--quick',
      '--out',
      join(folder, 'a'),
      '--data',
      join(folder, 'none'),
    ]);
    expect(code).toBe(1);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toContain(join(folder, 'none'));
  });

  test('with --json an error is an object too', async () => {
    expect(await main(['run', 'mnist-elu', '--json', '--out', '/proc/selfnorm'])).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ event: 'error', code: 'ERR_ARGUMENT' });
  });
});

describe('--resume', () => {
  test('needs a run to go on with', async () => {
    expect(await fails('run', 'mnist-elu', '--resume', '--out', folder)).toBe(1);
    expect(err).toContain('expected the folder of a run that was begun');
  });

  test('says when the file of the run is damaged', async () => {
    writeFileSync(join(folder, 'run.json'), '{"selfnorm": "0.1');
    expect(await fails('run', 'mnist-elu', '--resume', '--out', folder)).toBe(1);
    expect(err).toContain(`${join(folder, 'run.json')}: not readable as JSON`);
    err = '';
    writeFileSync(join(folder, 'run.json'), '[]');
    expect(await fails('run', 'mnist-elu', '--resume', '--out', folder)).toBe(1);
    expect(err).toContain('not the file of a run');
  });
});
