// Every file of examples/ runs, with small settings, and prints what it promises.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/** What each prints with `--quick`; a number of it is handed to the check. */
const EXAMPLES: Readonly<Record<string, (out: string) => void>> = {
  'relu-approximation': (out) => {
    expect(out.match(/^(relu|leakyRelu|elu|selu|softplus) +0\.\d{4} +0\.\d{4}$/gm)).toHaveLength(5);
  },
  'mnist-mlp': (out) => {
    expect(number(out, /test loss .*, accuracy (\S+),/)).toBeGreaterThan(0.75);
    const variances = [...out.matchAll(/^dense\S*: mean \S+, variance (\S+)$/gm)].map(([, variance]) =>
      Number(variance),
    );
    expect(variances).toHaveLength(3);
    for (const variance of variances) expect(Math.abs(Math.log2(variance))).toBeLessThan(1.5);
  },
  'mnist-cnn': (out) => {
    expect(out).toContain('Total params');
    expect(number(out, /test accuracy (\S+),/)).toBeGreaterThan(0.75);
    expect(out).toMatch(/^digits 7 2 1 0 4 1 4 9 5 9 were read as( \d){10}$/m);
  },
  distributed: (out) => {
    expect(number(out, /^1 process, accuracy by epoch: .* (\S+)$/m)).toBeGreaterThan(0.8);
  },
  regression: (out) => {
    expect(number(out, /least validation loss (\S+);/)).toBeLessThan(0.03);
    expect(number(out, /largest error (\S+)/)).toBeLessThan(0.4);
  },
  'custom-loop': (out) => {
    expect(number(out, /right for (\S+)% of new points/)).toBeGreaterThan(80);
    expect(number(out, /; (\d+) launches a step/)).toBeGreaterThan(10);
  },
  'save-and-transfer': (out) => {
    expect(out).toContain('loaded: predictions differ by 0\n');
    expect(out).toContain('2 of 6 weights are trained');
    expect(number(out, /test accuracy (\S+)$/m)).toBeGreaterThan(0.6);
  },
  callbacks: (out) => {
    expect(number(out, /^(\d+) of 6 epochs/m)).toBeLessThan(6);
    expect(out).toMatch(/in \S+: best\.json, best\.safetensors, logs$/m);
    expect(out).toContain(`the best epoch's model has ${784 * 64 + 64 + 64 * 10 + 10} parameters`);
  },
  'predict-server': (out) => {
    expect(out).toContain('200 {"digit":7,"probability":0.');
    expect(out).toContain('400 {"error":"POST 784 bytes');
  },
  worker: (out) => {
    expect(out).toMatch(/^selu +epoch 20: accuracy /m);
    expect(number(out, /^selu: .*; its weights here: accuracy (\S+)$/m)).toBeGreaterThan(0.9);
    expect(out).toMatch(/^sigmoid: .*; its weights here: accuracy \S+$/m);
  },
  'tfjs-mnist-cnn': (out) => {
    expect(number(out, /on selfnorm: test loss .*, accuracy (\S+)$/m)).toBeGreaterThan(0.5);
  },
};

/** Examples that a test of their own runs. */
const RUN_ELSEWHERE: readonly string[] = [];

function number(out: string, pattern: RegExp): number {
  const found = pattern.exec(out)?.[1];
  expect(found, `${pattern} in\n${out}`).toBeDefined();
  return Number(found);
}

/** Runs an example in a folder of its own; what it prints. */
async function run(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-example-'));
  try {
    const args = ['--import', 'tsx', `examples/${name}.ts`, '--quick', join(folder, 'out')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    expect(err).toBe('');
    expect(status).toBe(0);
    return out;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the examples', () => {
  test('are all run', () => {
    const files = readdirSync('examples').map((file) => file.replace(/\.ts$/, ''));
    expect(files.sort()).toEqual([...Object.keys(EXAMPLES), ...RUN_ELSEWHERE].sort());
  });

  test.each([...Object.keys(EXAMPLES), ...RUN_ELSEWHERE])('%s says what it shows and how to run it', (name) => {
    const head = /^(\/\/ .*\n)+/.exec(readFileSync(`examples/${name}.ts`, 'utf8'))?.[0];
    expect(head?.split('\n').length).toBeGreaterThan(2);
    expect(head).toContain(`examples/${name}.ts`);
  });

  test.each(Object.entries(EXAMPLES))('%s', async (name, check) => check(await run(name)), 120_000);
});
