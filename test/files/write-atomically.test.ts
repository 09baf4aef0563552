// Atomic writes: the new content or the old, never a part, and nothing left behind.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeAtomically } from '../../src/files/write-atomically.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-write-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writeAtomically', () => {
  test('writes text, bytes and pieces of bytes, and replaces what was there', () => {
    const file = join(folder, 'a');
    writeAtomically(file, 'grüß');
    expect(readFileSync(file, 'utf8')).toBe('grüß');
    writeAtomically(file, new Uint8Array([1, 2]));
    expect([...readFileSync(file)]).toEqual([1, 2]);
    writeAtomically(file, [new Uint8Array([3]), new Uint8Array(0), new Uint8Array([4, 5])]);
    expect([...readFileSync(file)]).toEqual([3, 4, 5]);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('says why it could not write, keeps what was there, and leaves nothing behind', () => {
    const file = join(folder, 'a');
    mkdirSync(file);
    writeFileSync(join(file, 'kept'), 'x');
    expect(() => writeAtomically(file, 'new')).toThrow(`write: ${file}: it is a folder`);
    expect(() => writeAtomically(join(folder, 'no', 'b'), 'new')).toThrow('the folder does not exist');
    expect(readdirSync(folder)).toEqual(['a']);
    expect(readdirSync(file)).toEqual(['kept']);
  });

  test('keeps the old file when the system stops the write half way', () => {
    const file = join(folder, 'a');
    writeFileSync(file, 'old');
    // A limit on file sizes refuses a write as a full disk does, and needs no right to mount one.
    const program = `
      import(${JSON.stringify(join(process.cwd(), 'src/files/write-atomically.ts'))}).then(({ writeAtomically }) => {
        try { writeAtomically(${JSON.stringify(file)}, new Uint8Array(1e6)); } catch (error) { console.log(error.message); }
      });`;
    const output = execFileSync(
      'bash',
      ['-c', `trap '' XFSZ; ulimit -f 64; exec ${process.execPath} --import tsx -e "$PROGRAM"`],
      { encoding: 'utf8', env: { ...process.env, PROGRAM: program } },
    );
    expect(output.trim()).toBe(`write: ${file}: the file is larger than the system allows`);
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });
});
