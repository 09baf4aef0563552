// A process killed while it saves, again and again: the pair of files always loads, as the old model or the new and never as a mix.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-killed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Save number n has 300 units when n is even and 301 when it is odd, and n in every weight. */
const SAVES = `
  const [, path, first] = process.argv;
  import(${JSON.stringify(join(process.cwd(), 'src/index.ts'))}).then(async (sn) => {
    for (let n = Number(first); ; n++) {
      const model = sn.sequential({ layers: [sn.layers.dense({ units: 300 + (n % 2), inputShape: [200], name: 'd' })] });
      for (const weight of model.weights) weight.assign(sn.fill(weight.shape, n));
      await model.save(path);
      model.dispose();
      process.stdout.write(n + '\\n');
    }
  });`;

test('kill -9 in the middle of saves leaves a model that loads', { timeout: 120_000 }, async () => {
  const path = join(folder, 'net');
  let last = 0;
  for (let round = 0; round < 6; round++) {
    const args = ['--import', 'tsx', '-e', SAVES, path, String(last + 1)];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, SELFNORM_DEVICE: 'cpu' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.on(
      'data',
      (chunk: Buffer) => (last = Math.max(last, ...chunk.toString().trim().split('\n').map(Number))),
    );
    await once(child.stdout, 'data');
    // Rounds stop the loop at other points of it; one save takes some milliseconds.
    await wait(1 + ((round * 17) % 29));
    child.kill('SIGKILL');
    await once(child, 'close');
    const model = await sn.loadLayersModel(path);
    const values = new Set(model.weights.flatMap((weight) => [...weight.dataSync()]));
    expect(values.size).toBe(1);
    const [n] = [...values] as [number];
    // The save that was being made may have come through before its line did.
    expect([last, last + 1]).toContain(n);
    expect(model.outputs[0]!.shape).toEqual([null, 300 + (n % 2)]);
    model.dispose();
    last = n;
  }
});

test('death between the two renames leaves the new model', async () => {
  const make = (units: number): sn.Model =>
    sn.sequential({ layers: [sn.layers.dense({ units, inputShape: [2], name: 'd' })] });
  await make(3).save(join(folder, 'old'));
  await make(4).save(join(folder, 'new'));
  copyFileSync(join(folder, 'new.safetensors'), join(folder, 'old.safetensors'));
  expect((await sn.loadLayersModel(join(folder, 'old'))).outputs[0]!.shape).toEqual([null, 4]);
});
