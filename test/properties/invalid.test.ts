// Every op with arguments that are wrong in some way: what is thrown is always an error of the library, in one line, and the next op
// works. A call that happens to be right may give a result.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { lookUp } from '../harness/fixtures.js';
import { Draw, load } from './draw.js';
import { ROWS } from './rows.js';

const asked = Number(process.env['SELFNORM_PROPERTY_RUNS'] ?? 0);

const AWKWARD: readonly unknown[] = [
  undefined,
  null,
  NaN,
  Infinity,
  -1,
  0,
  1.5,
  2 ** 31,
  2 ** 53,
  1e300,
  '',
  'x',
  'float32',
  true,
  [],
  [-1],
  [NaN],
  [1, [2]],
  [2 ** 40, 2 ** 40],
  {},
  { x: 1 },
  { shape: [1], dtype: 'float32' },
  () => 1,
  10n,
  Symbol.iterator,
  new Date(0),
  new Map(),
  new Uint8Array(2),
  [null],
  ['1'],
];

/** An argument: often a tensor, sometimes a disposed one, else something that plain JavaScript may pass. */
function argument(draw: Draw, live: sn.Tensor[]): unknown {
  const kind = draw.int(0, 9);
  if (kind < 6) {
    const x = load(draw.operand(draw.shape(0, 4)));
    live.push(x);
    if (kind === 5) x.dispose();
    return x;
  }
  return draw.pick(AWKWARD);
}

test.each(Object.keys(ROWS))('%s refuses what it cannot take', (name) => {
  const op = lookUp(name)!;
  let refused = 0;
  // No argument is so large that it may take the machine's memory.
  sn.setMemoryLimit(2 ** 28);
  try {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = new Draw(g);
        const live: sn.Tensor[] = [];
        const count = draw.int(0, 5);
        let args = Array.from({ length: count }, () => argument(draw, live));
        if (name.startsWith('fused.')) {
          const keys = ['a', 'b', 'x', 'filter', 'bias', 'activation', 'strides', 'pad', 'dropout', 'alpha'];
          args = [Object.fromEntries(args.map((value) => [draw.pick(keys), value]))];
        } else if (name === 'concat' || name === 'stack') args = [args.slice(0, 3), ...args.slice(3)];
        try {
          sn.tidy(() => void op(...args));
        } catch (error) {
          if (!(error instanceof sn.SelfnormError) || error.code === 'ERR_INTERNAL' || error.message.includes('\n')) {
            throw new Error(`${name}: not one line of the library's: ${String(error)}`, { cause: error });
          }
          refused++;
        } finally {
          sn.dispose(live);
        }
      }),
      { ...(asked > 0 ? { numRuns: asked } : { numRuns: 30, seed: 2 }), includeErrorInReport: true },
    );
  } finally {
    sn.setMemoryLimit(Infinity);
  }
  expect(refused).toBeGreaterThan(0);
  expect(sn.add(1, 1).dataSync()[0]).toBe(2);
});
