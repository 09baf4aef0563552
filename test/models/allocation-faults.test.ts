// Every allocation of a training step fails in turn. Where memory stays short the step ends with an error; where the next try finds some,
// it goes on. Either way training afterwards gives what it would have given, and nothing is left behind.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import { currentBackend } from '../../src/tensor/device.js';

const FOREVER = 2 ** 40;

/** Of the allocations from now on, number `first` and those behind it fail, `count` in all. Gives those since the last call. */
function failing(first: number, count: number): number {
  const { addon, queue } = currentBackend();
  return addon.failAllocations(queue, first, count);
}
const works = (): number => failing(0, 0);

/** Tensors, bytes they hold, and bytes in use on the device, once garbage is gone: what was expected, if that is ever so. */
async function held(expected?: readonly number[]): Promise<readonly number[]> {
  const { addon, queue } = currentBackend();
  const enough = expected === undefined ? 6 : 50;
  for (let round = 1; ; round++) {
    // What is let go of in a turn of the event loop may hold more.
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
    addon.sweep();
    const { numTensors, numBytes, inUseBytes } = addon.memory(queue);
    const now = [numTensors, numBytes, inUseBytes];
    if (round === enough || now.every((value, i) => value === expected?.[i])) return now;
  }
}

afterEach(() => {
  works();
  vi.restoreAllMocks();
});

type Weights = readonly (readonly number[])[];
const valuesOf = (weights: readonly sn.Tensor[]): Weights => weights.map((weight) => [...weight.dataSync()]);

describe('an eager step', () => {
  const FIRST = [
    [0.5, -0.3, 0.2, 0.1, 0.7, -0.6],
    [0.1, 0.2, -0.1],
  ] as const;
  const weights = [sn.variable(sn.tensor2d([...FIRST[0]], [2, 3])), sn.variable(sn.tensor1d([...FIRST[1]]))];
  const [x, y] = [sn.tensor2d([1, -2, 0.5, 3, -1, 1], [3, 2]), sn.ones([3, 3])];

  /** One step of an optimizer with state, on the loss of a small network. */
  function step(optimizer: sn.Optimizer): void {
    optimizer.minimize(
      () => {
        const hidden = sn.selu(sn.add(sn.matMul(x, weights[0]!), weights[1]!));
        return sn.mean(sn.square(sn.sub(sn.softmax(hidden), y)));
      },
      false,
      weights,
    );
  }
  function begin(): sn.Optimizer {
    weights.forEach((weight, i) => weight.assign(sn.tensor([...FIRST[i]!], weight.shape)));
    return sn.train.adam(0.1, 0.9, 0.999, 1e-7, { globalClipNorm: 0.5 });
  }

  test.each([
    ['the first', 0],
    ['a later', 2],
  ])('%s of an optimizer: every allocation fails in turn', async (_, before) => {
    const reference: Weights[] = [];
    const optimizer = begin();
    for (let i = 0; i < before + 2; i++) {
      reference.push(valuesOf(weights));
      works();
      step(optimizer);
    }
    reference.push(valuesOf(weights));
    const most = works();
    optimizer.dispose();
    const start = await held();
    let failures = 0;
    for (const count of [FOREVER, 1]) {
      for (let at = 0; at < most; at++) {
        const own = begin();
        for (let i = 0; i < before; i++) step(own);
        let error: unknown;
        failing(at, count);
        try {
          step(own);
        } catch (thrown) {
          error = thrown;
        }
        works();
        const place = `allocation ${at}, ${count} of them fail`;
        if (error === undefined) expect(valuesOf(weights), place).toEqual(reference[before + 1]);
        else {
          failures++;
          expect(error, place).toBeInstanceOf(sn.SelfnormError);
          expect((error as sn.SelfnormError).code, place).toBe('ERR_OUT_OF_MEMORY');
          // All or nothing: no weight has moved, and the state that the optimizer may have made already is as new.
          expect(valuesOf(weights), place).toEqual(reference[before]);
          step(own);
          expect(valuesOf(weights), place).toEqual(reference[before + 1]);
        }
        // Where the next try finds memory, nothing is to be seen.
        if (count === 1) expect(error, place).toBeUndefined();
        step(own);
        expect(valuesOf(weights), place).toEqual(reference[before + 2]);
        own.dispose();
        // Looking costs two collections; what one step left behind would still be there.
        if (at % 8 === 0) expect(await held(start), place).toEqual(start);
      }
    }
    expect(most).toBeGreaterThan(10);
    // Only memory that ran out once it was no longer needed does not end the step.
    expect(failures).toBeGreaterThan(most / 2);
  });
});

describe('fit, which records its step', () => {
  const x = sn.tidy(() => sn.reshape(sn.range(0, 96), [12, 8]).div(96));
  const y = sn.tidy(() => sn.oneHot(sn.range(0, 12, 1, 'int32').mod(sn.scalar(3, 'int32')), 3));
  const make = {
    dense: (): sn.Sequential =>
      sn.sequential({
        layers: [
          sn.layers.dense({ name: 'a', inputShape: [8], units: 5, activation: 'selu', kernelInitializer: 'ones' }),
          sn.layers.dense({ name: 'b', units: 3, activation: 'softmax', kernelInitializer: 'identity' }),
        ],
      }),
    convolutional: (): sn.Sequential =>
      sn.sequential({
        layers: [
          sn.layers.reshape({ inputShape: [8], targetShape: [4, 2, 1] }),
          sn.layers.conv2d({ name: 'c', filters: 2, kernelSize: 2, activation: 'elu', kernelInitializer: 'ones' }),
          sn.layers.batchNormalization({ name: 'n' }),
          sn.layers.flatten(),
          sn.layers.dense({ name: 'd', units: 3, activation: 'softmax', kernelInitializer: 'ones' }),
        ],
      }),
  };

  async function trained(model: sn.Sequential): Promise<void> {
    await model.fit(x, y, { epochs: 1, batchSize: 3, shuffle: false, verbose: 0 });
  }
  /** The code of the error that training ends with; the error itself would hold what its frames knew. */
  const outcome = async (model: sn.Sequential): Promise<string | null> =>
    trained(model).then(
      () => null,
      (error: unknown) => (error instanceof sn.SelfnormError ? error.code : String(error)),
    );
  function compiled(kind: keyof typeof make): sn.Sequential {
    const model = make[kind]();
    model.compile({ optimizer: sn.train.adam(0.05), loss: 'categoricalCrossentropy' });
    return model;
  }

  test.each(['dense', 'convolutional'] as const)(
    '%s: every allocation fails in turn',
    { timeout: 120_000 },
    async (kind) => {
      // A step that finds no memory for its arena runs eagerly, and says so.
      vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      const model = compiled(kind);
      const first = model.getWeights();
      const begin = (): void => {
        model.setWeights(first);
        model.compile({ optimizer: sn.train.adam(0.05), loss: 'categoricalCrossentropy' });
      };
      await trained(model);
      begin();
      works();
      await trained(model);
      const most = works();
      const reference = valuesOf(model.weights.map((weight) => weight as sn.Tensor));
      begin();
      let start: readonly number[] | null = null;
      let [failures, recovered] = [0, 0];
      for (const count of [FOREVER, 1]) {
        // All where memory stays short; of those that recover, every third.
        for (let at = 0; at < most; at += count === 1 ? 3 : 1) {
          failing(at, count);
          const code = await outcome(model);
          works();
          const place = `allocation ${at}, ${count} of them fail`;
          if (code === null) {
            recovered++;
            expect(valuesOf(model.weights as unknown as sn.Tensor[]), place).toEqual(reference);
          } else {
            failures++;
            expect(code, place).toBe('ERR_OUT_OF_MEMORY');
          }
          if (count === 1) expect(code, place).toBeNull();
          begin();
          await trained(model);
          expect(valuesOf(model.weights as unknown as sn.Tensor[]), place).toEqual(reference);
          begin();
          // The first has let go of what was before.
          if (at % 8 === 0) expect(await held((start ??= await held())), place).toEqual(start);
        }
      }
      expect(most).toBeGreaterThan(20);
      expect(failures).toBeGreaterThan(most / 2);
      expect(recovered).toBeGreaterThan(5);
      model.dispose();
      sn.dispose(first);
    },
  );
});
