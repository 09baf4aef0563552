// Every op against PyTorch and Keras (stored), in float64 and float32: values, gradients, gradients of gradients; and every
// float64 gradient against central differences.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { expectClose, expectWithin, scaleOf } from '../harness/compare.js';
import { callOp, fixtureFamilies, load, numbers, readFixtures, type FixtureCase } from '../harness/fixtures.js';
import { FINITE_DIFFERENCE, stepFor, type ToleranceClass } from '../tolerance.js';

const CLASSES: Readonly<Record<string, ToleranceClass>> = {
  activations: 'elementwise',
  arithmetic: 'elementwise',
  convolution: 'product',
  creation: 'elementwise',
  linear_algebra: 'product',
  losses: 'composite',
  normalisation: 'composite',
  pooling: 'reduction',
  reductions: 'composite',
  shape: 'reduction',
};
const FLOATS = ['float64', 'float32'] as const;
type Float = (typeof FLOATS)[number];

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

const isFloat = (dtype: string): boolean => dtype.startsWith('float');

/** Sum over outputs of dy * output, as one scalar: what the stored gradients are the gradients of. */
function seeded(fixture: FixtureCase, float: Float): { f: (...xs: Tensor[]) => Tensor; xs: Tensor[]; at: number[] } {
  const loaded = fixture.inputs.map((input) => (input === null ? null : load(input, float)));
  const at = fixture.inputs.flatMap((input, i) => (input !== null && fixture.gradients?.[i] != null ? [i] : []));
  const f = (...xs: Tensor[]): Tensor => {
    const inputs = [...loaded];
    at.forEach((position, k) => (inputs[position] = xs[k]!));
    const terms = callOp(fixture, inputs).flatMap((y, i) => {
      const dy = fixture.dy?.[i];
      return dy == null ? [] : [sn.sum(sn.mul(y, load(dy, float)))];
    });
    return terms.reduce((a, b) => sn.add(a, b));
  };
  return { f, xs: at.map((i) => loaded[i]!), at };
}

const seedScale = (seeds: FixtureCase['dy']): number =>
  Math.max(0, ...(seeds ?? []).map((seed) => (seed === null ? 0 : scaleOf(numbers(seed)))));

function checkValues(fixture: FixtureCase, float: Float, kind: ToleranceClass): void {
  const results = callOp(
    fixture,
    fixture.inputs.map((input) => (input === null ? null : load(input, float))),
  );
  expect(results.length).toBe(fixture.outputs.length);
  results.forEach((result, i) => {
    const expected = fixture.outputs[i]!;
    const dtype = isFloat(expected.dtype) ? result.dtype : expected.dtype;
    expect(result.dtype).toBe(dtype);
    expectClose('value', host(result), { shape: expected.shape, data: numbers(expected) }, dtype, kind);
  });
}

function checkGradients(fixture: FixtureCase, float: Float, kind: ToleranceClass): void {
  const { f, xs, at } = seeded(fixture, float);
  const found = sn.grads(f)(xs);
  const seed = seedScale(fixture.dy);
  at.forEach((position, k) => {
    const expected = fixture.gradients![position]!;
    expectClose(`gradient ${position}`, host(found[k]!), { ...expected, data: numbers(expected) }, float, kind, seed);
  });
  if (fixture.second === undefined) return;
  const first = (...inputs: Tensor[]): Tensor => {
    const gradients = sn.grads(f)(inputs);
    return at
      .flatMap((position, k) => {
        const seed = fixture.secondSeed?.[position];
        return seed == null ? [] : [sn.sum(sn.mul(gradients[k]!, load(seed, float)))];
      })
      .reduce((a, b) => sn.add(a, b));
  };
  const second = sn.grads(first)(xs);
  at.forEach((position, k) => {
    const expected = fixture.second![position];
    if (expected == null) return;
    const leastScale = seed * seedScale(fixture.secondSeed);
    expectClose(
      `second ${position}`,
      host(second[k]!),
      { ...expected, data: numbers(expected) },
      float,
      kind,
      leastScale,
    );
  });
}

function checkDifferences(fixture: FixtureCase): void {
  const { f, xs } = seeded(fixture, 'float64');
  const analytic = sn.grads(f)(xs);
  xs.forEach((x, k) => {
    const values = Float64Array.from(x.dataSync());
    const differences = new Float64Array(values.length);
    const at = (i: number, value: number): number => {
      const moved = values.slice();
      moved[i] = value;
      const inputs = [...xs];
      inputs[k] = sn.tensor(moved, x.shape, 'float64');
      return f(...inputs).dataSync()[0]!;
    };
    for (let i = 0; i < values.length; i++) {
      const step = stepFor(values[i]!);
      differences[i] = (at(i, values[i]! + step) - at(i, values[i]! - step)) / (2 * step);
    }
    expectWithin(
      `central difference of input ${k}`,
      host(analytic[k]!),
      { shape: x.shape, data: differences },
      (reference, scale) => FINITE_DIFFERENCE * Math.max(1, Math.abs(reference), scale) * 10,
    );
  });
}

const finite = (fixture: FixtureCase): boolean =>
  fixture.inputs.every((input) => input === null || input.data.every((value) => Number.isFinite(value)));

for (const family of fixtureFamilies().filter((name) => name !== 'optimizers')) {
  const kind = CLASSES[family] ?? 'composite';
  const cases = readFixtures(family);
  describe.each([...new Set(cases.map((fixture) => fixture.op))])(`${family}: %s`, (op) => {
    const own = cases.filter((fixture) => fixture.op === op);
    for (const float of FLOATS) {
      test.each(own)(`${float} values: $name`, (fixture) => checkValues(fixture, float, kind));
      const withGradients = own.filter((fixture) => fixture.gradients?.some((gradient) => gradient !== null));
      if (withGradients.length > 0) {
        test.each(withGradients)(`${float} gradients: $name`, (fixture) => {
          expect(fixture.gradients).toBeDefined();
          checkGradients(fixture, float, kind === 'elementwise' ? 'reduction' : 'composite');
        });
      }
    }
    const differentiable = own.filter((f) => f.gradients?.some((gradient) => gradient !== null) && finite(f));
    if (differentiable.length > 0) {
      test.each(differentiable)('float64 gradients meet central differences: $name', (fixture) => {
        expect(fixture.gradients).toBeDefined();
        checkDifferences(fixture);
      });
    }
  });
}
