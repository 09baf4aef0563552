// Every op against a plain float64 reference: random shapes with sizes 0, 1 and odd ones, broadcasting, axes counted from either end, all
// dtypes. SELFNORM_PROPERTY_RUNS=n draws n examples of each op, from a seed that is printed; without it a few, the same ones always.
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectClose } from '../harness/compare.js';
import { ALL, Draw, load, type Example, type Row } from './draw.js';
import { host, type Host } from './host.js';
import { ROWS } from './rows.js';

const asked = Number(process.env['SELFNORM_PROPERTY_RUNS'] ?? 0);
const options: fc.Parameters<unknown> = {
  ...(asked > 0 ? { numRuns: asked } : { numRuns: 25, seed: 1 }),
  includeErrorInReport: true,
};
const listed = <T>(value: T | readonly T[]): readonly T[] =>
  Array.isArray(value) ? (value as readonly T[]) : [value as T];

function check({ inputs, call, expected, dtypes, kind }: Example): void {
  const tensors = inputs.map(load);
  let results: readonly sn.Tensor[] = [];
  try {
    results = listed(call(...tensors));
    const references = listed<Host>(expected);
    if (results.length !== references.length)
      throw new Error(`expected ${references.length} results, got ${results.length}`);
    results.forEach((result, i) => {
      const dtype = listed(dtypes)[i] ?? listed(dtypes)[0]!;
      if (result.dtype !== dtype) throw new Error(`result ${i}: expected ${dtype}, got ${result.dtype}`);
      expectClose(`result ${i}`, { shape: result.shape, data: result.dataSync() }, references[i]!, dtype, kind);
    });
  } finally {
    sn.dispose([...tensors, ...results]);
  }
}

const holds = (row: Row): void =>
  fc.assert(
    fc.property(fc.gen(), (draw) => check(row(new Draw(draw)))),
    options,
  );

/** The names that index.ts takes from src/ops, with those of `losses` and `fused` one by one. */
function exportedOps(): string[] {
  const source = readFileSync('src/index.ts', 'utf8');
  const public_ = sn as unknown as Record<string, unknown>;
  const ops = new Set<string>();
  for (const [, names, file] of source.matchAll(/^export (\*|\* as \w+|\{[^}]*\}) from '\.\/ops\/([\w-]+)\.js';/gm)) {
    const text = names === '*' ? readFileSync(`src/ops/${file}.ts`, 'utf8') : names!;
    const found =
      names === '*'
        ? [...text.matchAll(/^export (?:const|function) (\w+)/gm)].map((match) => match[1]!)
        : [...text.matchAll(/(?:\w+ as )?(\w+)(?=[,\s}]|$)/g)]
            .map((match) => match[1]!)
            .filter((name) => name in public_);
    for (const name of found) {
      const value = public_[name];
      if (typeof value === 'function') ops.add(name);
      else if (name !== 'Reduction') for (const part of Object.keys(value as object)) ops.add(`${name}.${part}`);
    }
  }
  return [...ops].sort();
}

test('every op that is exported has a property, and no other name', () => {
  expect(exportedOps().length).toBeGreaterThan(100);
  expect(exportedOps()).toEqual(Object.keys(ROWS).sort());
});

describe.each(Object.entries(ROWS))('%s', (_, row) => {
  test('is its reference', () => {
    expect(() => holds(row)).not.toThrow();
  });
});

test('what is drawn has empty axes, single elements, odd sizes, every dtype, and axes counted from the end', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const draw = new Draw(g);
      const x = draw.operand(draw.shape(1));
      seen.add(x.dtype);
      for (const size of x.shape) seen.add(`size ${size}`);
      seen.add(`rank ${x.shape.length}`);
      seen.add(draw.axis(x.shape.length).given < 0 ? 'from the end' : 'from the front');
    }),
    { numRuns: 200, seed: 1 },
  );
  const wanted = ['size 0', 'size 1', 'size 3', 'size 7', 'rank 1', 'rank 4', 'from the end', 'from the front'];
  expect([...ALL, ...wanted].filter((each) => !seen.has(each))).toEqual([]);
});

describe('a property fails for', () => {
  const wrong =
    (change: Partial<Example>): Row =>
    (draw) => ({ ...ROWS['add']!(draw), ...change });
  test.each<[string, Row, RegExp]>([
    [
      'a value that is off',
      (d) => ({ ...ROWS['square']!(d), call: (x) => sn.mul(sn.square(x), 1.01) }),
      /element|expected/,
    ],
    ['another dtype', wrong({ dtypes: 'complex64' as never }), /expected complex64/],
    ['another shape', wrong({ expected: host([11], () => 0) }), /expected shape/],
    ['a result too many', wrong({ expected: [] }), /expected 0 results, got 1/],
  ])('%s', (_, row, message) => {
    expect(() => holds(row)).toThrow(message);
  });
});
