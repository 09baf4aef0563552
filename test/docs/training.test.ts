// The snippets of docs/training.md run, one after the other, and do what is said beside them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { snippetsOf } from './snippets.js';

interface Outcome {
  readonly model: sn.Sequential;
  readonly averaged: sn.Sequential;
  readonly accumulating: sn.Sequential;
  readonly accuracies: number[];
}

test('the snippets run', async () => {
  const snippets = snippetsOf('docs/training.md').map(({ code }) => code);
  expect(snippets).toHaveLength(6);
  const typed = snippets.join('\n').replace("import * as sn from 'selfnorm';", '');
  const program = transformSync(typed, { loader: 'ts', target: 'node20' }).code;
  const AsyncFunction = (async () => await Promise.resolve()).constructor as new (
    ...args: string[]
  ) => (library: typeof sn) => Promise<Outcome>;
  const run = new AsyncFunction('sn', `${program}\nreturn { model, averaged, accumulating, accuracies };`);
  const [folder, before] = [mkdtempSync(join(tmpdir(), 'selfnorm-training-')), process.cwd()];
  process.chdir(folder);
  try {
    const { averaged, accumulating, accuracies } = await run(sn);
    expect(accuracies).toHaveLength(5);
    expect(Math.min(...accuracies)).toBeGreaterThan(0.7);
    expect(accumulating.optimizer.iterations).toBe(20);
    expect(averaged.optimizer.averagesInPlace).toBe(false);
    expect(readdirSync('.').sort()).toEqual([
      'averaged.json',
      'averaged.safetensors',
      'log.csv',
      'stopped.json',
      'stopped.safetensors',
    ]);
    expect(readFileSync('log.csv', 'utf8')).toMatch(/^epoch,acc,learning_rate,loss,val_acc,val_loss\n0,/);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
});
