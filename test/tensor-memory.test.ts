// Memory without dispose: garbage collection frees tensors, also in a loop that never returns to the event loop.
import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import * as sn from '../src/index.js';

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
