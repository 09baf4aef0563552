// Memory without dispose: garbage collection frees tensors, also in a loop that never returns to the event loop.
import { execFileSync } from 'node:child_process';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import * as sn from '../src/index.js';
import { NativeOp, run } from '../src/tensor/backend.js';
import { currentBackend } from '../src/tensor/device.js';
import { makeOne } from '../src/tensor/tensor.js';

const collect = globalThis.gc as () => void;

describe('memory', () => {
  test('ten million tensors made and dropped in one synchronous loop keep memory flat', () => {
    const x = sn.ones([16]);
    for (let i = 0; i < 100_000; i++) sn.neg(x);
    const before = process.memoryUsage().rss;
    let most = 0;
    for (let i = 0; i < 10_000_000; i++) {
      sn.neg(x);
      if (i % 500_000 === 0) most = Math.max(most, sn.memory().numTensors);
    }
    expect(most).toBeLessThan(300_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  }, 120_000);

  test('large tensors dropped in a synchronous loop are reused, not accumulated', () => {
    const x = sn.ones([2 ** 22]);
    for (let i = 0; i < 2000; i++) sn.neg(x);
    expect(sn.memory().peakBytes).toBeLessThan(4 * 2 ** 30);
  });

  test('a loop that frees what it makes does not set garbage collection off', async () => {
    const kinds: number[] = [];
    const observer = new PerformanceObserver((list) => {
      const entries = list.getEntries() as unknown as { detail: { kind: number } }[];
      kinds.push(...entries.map(({ detail }) => detail.kind));
    });
    const x = sn.ones([2 ** 20]);
    observer.observe({ entryTypes: ['gc'] });
    for (let step = 0; step < 20; step++) {
      sn.tidy(() => {
        let y: sn.Tensor = x;
        for (let i = 0; i < 50; i++) y = sn.neg(y);
      });
      await turn();
    }
    observer.disconnect();
    expect(kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MAJOR).length).toBeLessThan(10);
  });

  test('tidy frees what it does not return and leaves kept tensors alone', () => {
    const before = sn.memory().numTensors;
    let kept: sn.Tensor | undefined;
    const y = sn.tidy(() => {
      const x = sn.ones([4]);
      kept = sn.keep(x.neg());
      return { deep: [x.add(1)] };
    });
    expect(sn.memory().numTensors).toBe(before + 2);
    expect([...y.deep[0]!.dataSync()]).toEqual([2, 2, 2, 2]);
    sn.dispose([y, kept]);
    expect(sn.memory().numTensors).toBe(before);
  });

  test('tidy inside a gradient keeps what the backward pass needs', () => {
    const g = sn.grad((x) => sn.tidy(() => sn.tidy(() => x.exp()).mul(x)).sum())([1, 2]);
    const expected = [1, 2].map((x) => Math.exp(x) * (1 + x));
    [...g.dataSync()].forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5));
  });

  test('using frees at the end of the block', () => {
    const before = sn.memory().numTensors;
    {
      using x = sn.ones([4]);
      expect(x.size).toBe(4);
    }
    expect(sn.memory().numTensors).toBe(before);
  });

  test('gradients leave nothing behind but their results', () => {
    const x = sn.ones([8]);
    const f = sn.grad((t: sn.Tensor) => t.square().exp().sum());
    f(x).dispose();
    collect();
    const before = sn.memory().numTensors;
    for (let i = 0; i < 10; i++) f(x).dispose();
    expect(sn.memory().numTensors).toBe(before);
  });

  test('views share memory, and views of a variable do not change with it', () => {
    const x = sn.ones([2, 3]);
    const bytes = sn.memory().numBytes;
    expect(x.reshape([6]).shape).toEqual([6]);
    const v = sn.variable([1, 2]);
    const before = v.clone();
    const seen = v.reshape([2, 1]);
    v.assign([5, 6]);
    expect([...before.dataSync(), ...seen.dataSync(), ...v.dataSync()]).toEqual([1, 2, 1, 2, 5, 6]);
    expect(bytes).toBeGreaterThan(0);
  });

  test('memory that tensors share counts once, and none is left when they are gone', () => {
    const at = (): number => sn.memory().numBytes;
    const before = at();
    const x = sn.ones([1000]);
    const views = [x.reshape([10, 100]), x.slice(100, 50), x.clone()];
    expect(at()).toBe(before + 4000);
    x.dispose();
    expect(at()).toBe(before + 4000);
    // Written in place, a view gets memory of its own and leaves the others as they are.
    run(views[1]!.backend, new NativeOp('assign'), [sn.zeros([50])], [{ id: views[1]!.id }]);
    expect([views[1]!.dataSync()[3], views[2]!.dataSync()[103]]).toEqual([0, 1]);
    sn.dispose(views);
    collect();
    sn.memory();
    expect(at()).toBeLessThanOrEqual(before + 200);
    for (const value of [sn.zeros([0]), sn.zeros([3, 0]).neg(), sn.scalar(1)]) value.dispose();
    expect(at()).toBeLessThanOrEqual(before + 200);
  });

  test('dispose, tidy and keep in every order free once', () => {
    const before = sn.memory().numTensors;
    const x = sn.ones([4]);
    x.dispose();
    x.dispose();
    sn.dispose([x, { x }, x]);
    sn.tidy(() => {
      const y = sn.ones([4]);
      y.dispose();
      return [y];
    });
    const outer = sn.tidy(() => {
      const inner = sn.tidy(() => ({ a: sn.ones([2]), b: [sn.ones([3])] }));
      return inner.b;
    });
    expect(sn.memory().numTensors).toBe(before + 1);
    sn.dispose(outer);
    expect(() =>
      sn.tidy(() => {
        sn.ones([5]);
        sn.tidy(() => {
          sn.ones([6]);
          throw new Error('inside');
        });
      }),
    ).toThrow('inside');
    expect(sn.memory().numTensors).toBe(before);
  });

  test('an async function given to tidy may fail later without ending the process', async () => {
    expect(() =>
      sn.tidy(async () => {
        await Promise.resolve();
        throw new Error('late');
      }),
    ).toThrow(/^tidy: fn: /);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sn.add(1, 1).dataSync()[0]).toBe(2);
  });

  test('a disposed operand inside an op is an error, not a crash', () => {
    const dead = sn.ones([4]);
    dead.dispose();
    const live = sn.ones([4]);
    expect(() => makeOne(live.backend, new NativeOp('add'), [live, dead], [4], 'float32')).toThrow(
      expect.objectContaining({ code: 'ERR_DISPOSED' }),
    );
    expect(() => run(live.backend, new NativeOp('assign'), [live], [{ id: dead.id }])).toThrow(
      expect.objectContaining({ code: 'ERR_DISPOSED' }),
    );
  });

  test('hundreds of operands, and more than the native side takes', () => {
    const parts = Array.from({ length: 1500 }, (_, i) => sn.fill([1, 1, 1], i));
    const joined = sn.concat(parts);
    expect(joined.shape).toEqual([1500, 1, 1]);
    expect(joined.dataSync()[1499]).toBe(1499);
    const many = Array.from({ length: 600 }, () => parts[0]!);
    expect(() => makeOne(parts[0]!.backend, new NativeOp('concat'), many, [600, 1, 1], 'float32', [0])).toThrow(
      /at most 512/,
    );
    const params = new Array<number>(5000).fill(0);
    expect(() => makeOne(parts[0]!.backend, new NativeOp('neg'), [parts[0]!], [1, 1, 1], 'float32', params)).toThrow(
      /^neg: .*(fit|at most)/,
    );
    sn.dispose([parts, joined]);
  });

  test('data() resolves while the event loop turns', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const values = await sn.ones([2 ** 24]).data();
    while (ticks === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    clearInterval(timer);
    expect(values.length).toBe(2 ** 24);
  });

  test('a tensor dropped while it is read is still read', async () => {
    const pending = Array.from({ length: 20 }, (_, i) => sn.fill([2 ** 19], i).data());
    collect();
    for (let i = 0; i < 100; i++) sn.fill([2 ** 19], -1);
    const read = await Promise.all(pending);
    read.forEach((values, i) => expect(values[2 ** 18]).toBe(i));
  });
});

describe('lifecycle', () => {
  const library = new URL('../dist/index.cjs', import.meta.url).pathname;
  const script = `const sn = require(${JSON.stringify(library)}); const x = sn.ones([1000]); let y = x; for (let i = 0; i < 100; i++) y = sn.add(y, x);`;

  test('worker threads have tensors of their own, and end with tensors alive and reads under way', async () => {
    const source = `${script} const { parentPort } = require('node:worker_threads'); x.data(); parentPort.postMessage(y.dataSync()[0]);`;
    const results = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(source, { eval: true });
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    expect(results).toEqual([101, 101, 101, 101]);
  });

  test('a worker that is terminated while it reads large tensors does not take the process', async () => {
    for (let round = 0; round < 3; round++) {
      const source = `${script} const big = [1, 2, 3, 4].map((v) => sn.fill([2 ** 24], v));
        for (const one of big) one.data(); require('node:worker_threads').parentPort.postMessage('reading'); setInterval(() => 0, 1000);`;
      const worker = new Worker(source, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
    expect(sn.add(1, 1).dataSync()[0]).toBe(2);
  });

  test('large ops on several threads at once give the right results', async () => {
    const source = `${script} const { parentPort } = require('node:worker_threads');
      let sum = 0; for (let i = 0; i < 20; i++) sum += sn.sum(sn.mul(sn.fill([2 ** 20], i), 2)).dataSync()[0] / 2 ** 20;
      parentPort.postMessage(sum);`;
    const results = await Promise.all(
      Array.from(
        { length: 6 },
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(source, { eval: true });
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    expect(results).toEqual([380, 380, 380, 380, 380, 380]);
  });

  test('a worker that is terminated in the middle of an op does not take the process', async () => {
    const worker = new Worker(`${script} for (;;) y = sn.add(y, x);`, { eval: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await worker.terminate();
    expect(sn.add(1, 1).dataSync()[0]).toBe(2);
  });

  test('the process ends with tensors alive and a read under way', () => {
    const out = execFileSync(process.execPath, [
      '-e',
      `${script} y.data(); process.stdout.write('done'); process.exit(0);`,
    ]);
    expect(out.toString()).toBe('done');
  });
});

describe('setMemoryLimit', () => {
  afterEach(() => sn.setMemoryLimit(Infinity));

  test('stops what needs more, and what fits goes on', () => {
    const inUse = currentBackend().addon.memory(currentBackend().queue).inUseBytes;
    sn.setMemoryLimit(inUse + 8 * 2 ** 20);
    expect(() => sn.zeros([4 * 2 ** 20])).toThrow(
      /^fill: out of memory: asked 0\.02 GiB, in use .* GiB; lower the batch size or dispose tensors$/,
    );
    const fits = sn.ones([2 ** 20]);
    expect(fits.sum().dataSync()[0]).toBe(2 ** 20);
    fits.dispose();
    // A tensor that nobody holds makes room for the next.
    for (let i = 0; i < 20; i++) sn.zeros([2 ** 20]);
    sn.setMemoryLimit(Infinity);
    expect(sn.zeros([4 * 2 ** 20]).size).toBe(4 * 2 ** 20);
  });

  test('of no use to a number below 0', () => {
    for (const wrong of [-1, NaN, '1' as never]) {
      expect(() => sn.setMemoryLimit(wrong)).toThrow(/^setMemoryLimit: bytes: expected a number of at least 0, got/);
    }
  });
});
