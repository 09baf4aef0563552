// What the fuzzer found so far, read once more by every reader (npm run fuzz looks for more), and what makes an input fail.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { READERS } from '../../fuzz/readers.js';
import { feed, type Target } from '../../fuzz/target.js';
import * as sn from '../../src/index.js';

const CORPUS = 'fuzz/corpus';

test('every reader has a corpus, and every corpus a reader', () => {
  expect(readdirSync(CORPUS).sort()).toEqual(Object.keys(READERS).sort());
});

test.each(Object.entries(READERS))('%s reads every input of its corpus or says what is wrong', async (name, target) => {
  // Records that are left out are told as warnings.
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const files = readdirSync(`${CORPUS}/${name}`);
  let taken = 0;
  try {
    for (const file of files) {
      try {
        if (await feed(target, readFileSync(`${CORPUS}/${name}/${file}`))) taken++;
      } catch (error) {
        throw new Error(`${CORPUS}/${name}/${file}`, { cause: error });
      }
    }
  } finally {
    warnings.mockRestore();
  }
  // Some are right, and most readers refuse some.
  expect(taken).toBeGreaterThan(0);
});

const target = (read: Target['read']): Target => ({ files: ['file'], build: () => [''], read });
const input = Uint8Array.of(1, 2, 3);

test('an input fails whose reader throws something else than a SelfnormError', async () => {
  const broken = target(() => {
    throw new TypeError('x is not a function');
  });
  await expect(feed(broken, input)).rejects.toThrow(TypeError);
});

test('an input fails whose reader leaves a tensor behind', async () => {
  const left: sn.Tensor[] = [];
  const leaking = target(() => void left.push(sn.zeros([2])));
  await expect(feed(leaking, input)).rejects.toThrow('1 tensors were left behind');
  sn.dispose(left);
});

test('an input that is refused with an error of the library does not fail', async () => {
  const refusing = target(() => sn.tensor([1, 2], [3]));
  expect(await feed(refusing, input)).toBe(false);
});
