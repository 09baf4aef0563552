// Saving while the system refuses: every call that a save makes fails in turn, in every way a disk can fail, and the process is killed
// at every one of them. What is there afterwards is the old save or the new one, whole.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { faultEnvironment } from './faults.js';
import type { Outcome } from './saving-process.js';

let scratch: string;
let folder: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'selfnorm-faults-'));
  mkdirSync((folder = join(scratch, 'saved')));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function run(args: readonly string[]): { status: number | null; signal: string | null; out: string; err: string } {
  const program = join(import.meta.dirname, 'saving-process.ts');
  const env = { ...process.env, ...faultEnvironment(scratch, folder), SELFNORM_DEVICE: 'cpu', NODE_OPTIONS: '' };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program, ...args], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, signal, out: stdout, err: stderr };
}

// The shim is for the loader of Linux.
describe.runIf(process.platform === 'linux')('a save', () => {
  test('that the system refuses leaves the old model or the new one, and says what was wrong', () => {
    const { status, out, err } = run(['errors', folder]);
    expect([status, err]).toEqual([0, '']);
    const outcomes = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Outcome);
    const of = (kind: string): Outcome[] => outcomes.filter(({ what }) => what === kind);
    // Two files: opened, written in pieces, flushed; renamed; then their folder opened and flushed.
    expect(
      of('EIO')
        .map(({ call }) => call)
        .join(''),
    ).toMatch(/^ow+sow+smmrs$/);
    expect(outcomes.filter(({ left }) => left.length > 0)).toEqual([]);
    for (const { what, at, call, error, loaded } of outcomes) {
      const place = `${what} at call ${at} (${call})`;
      if (error === null) expect([place, loaded]).toEqual([place, 'new']);
      else expect(error, place).toMatch(/^write: .*net\.(json|safetensors): [^\n]+$/);
      // Nothing has changed before the first file is renamed; when the second cannot be, the first is the new model already.
      if (error !== null && call !== 'm') expect([place, loaded]).toEqual([place, 'old']);
    }
    expect(of('ENOSPC').filter(({ call }) => call === 'w')[0]!.error).toMatch(/the disk is full$/);
    expect(of('EMFILE')[0]!.error).toMatch(/EMFILE/);
    // A write that takes only a part goes on; only one that takes nothing is an error.
    for (const kind of ['short writes', 'a short write'])
      expect(of(kind).every(({ error }) => error === null)).toBe(true);
    const nothing = of('a write of nothing').filter(({ call }) => call === 'w');
    expect(nothing.length).toBeGreaterThan(2);
    expect(nothing.every(({ error }) => error !== null)).toBe(true);
  });

  test('whose process is killed, at any of its calls, leaves every file old or new', { timeout: 120_000 }, () => {
    const paths = ['a', 'b'].map((name) => join(folder, name));
    const states: string[] = [];
    for (let at = 0; ; at++) {
      for (const path of paths) writeFileSync(path, 'old');
      const { signal, out } = run(['kill', folder, String(at)]);
      const texts = paths.map((path) => readFileSync(path, 'utf8'));
      for (const text of texts) expect(['old', 'n'.repeat(1501)]).toContain(text);
      states.push(texts.map((text) => text[0]).join(''));
      if (signal === 'SIGKILL') continue;
      expect(out).toMatch(/^owwwsowwwsmmrs$/);
      break;
    }
    // The first file changes before the second.
    expect(states.join(' ')).toMatch(/^(oo )+(no )+(nn ?)+$/);
    expect(states.length).toBe('owwwsowwwsmmrs'.length + 1);
  });
});
