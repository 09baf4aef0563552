// Loading an addon: one that is missing, foreign or left behind by an update gives one sentence with the way out; a call that
// does not fit its op gives an error.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { loadAddon } from '../../src/native/load.js';
import { NativeOp } from '../../src/tensor/backend.js';
import { convert } from '../../src/tensor/convert.js';
import { makeOne } from '../../src/tensor/tensor.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

function addonFile(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test.each([
  ['missing', join(folder, 'missing.node'), /could not be loaded from .*missing\.node.*npx selfnorm build/s],
  ['not an addon', addonFile('text.node', 'no machine code'), /could not be loaded from .*text\.node/s],
  ['built for another version', addonFile('old.json', '{"version": "0.0.1"}'), /got 0\.0\.1; build it with/],
  ['built before versions were written', addonFile('older.json', '{}'), /got an older one; build it with/],
])('an addon that is %s', (_, path, message) => {
  expect(() => loadAddon('cpu', path)).toThrow(message);
  expect(() => loadAddon('cpu', path)).toThrow(sn.DeviceError);
});

test('a native call with too few arguments', () => {
  const x = convert('test', 'x', [1, 2]);
  const add = new NativeOp('add');
  expect(() => makeOne(x.backend, add, [x], x.shape, x.dtype)).toThrow(
    /argument 1: expected one, got 1.*npx selfnorm build/,
  );
  expect(sn.add(x, x).arraySync()).toEqual([2, 4]);
});
