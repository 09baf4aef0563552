// The experiment through the command line, as a process of its own: a few real images, the whole report; killed at random
// moments and stopped by Ctrl-C, it goes on to the same bits.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseExactly } from '../../src/experiments/exact-json.js';
import type { Report, RunRecord } from '../../src/report/report.js';
import { start, type Ended, type Ending } from '../harness/command-line.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-mnist-elu-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ARGUMENTS = ['run', 'mnist-elu', '--quick', '--limit', '400', '--epochs', '2', '--device', 'cpu', '--json'];

/** Everything a run leaves that must not depend on how often it was broken off. */
function bits(out: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of readdirSync(join(out, 'models'))) {
    result[name] = readFileSync(join(out, 'models', name)).toString('base64');
  }
  for (const name of readdirSync(join(out, 'trials'))) {
    const { secondsPerEpoch, ...record } = parseExactly(readFileSync(join(out, 'trials', name), 'utf8')) as RunRecord;
    result[name] = { ...record, epochs: secondsPerEpoch.length };
  }
  return result;
}

const whole = join(folder, 'whole');
let ended: Ended;
beforeAll(async () => {
  ended = await start([...ARGUMENTS, '--out', whole]);
}, 300_000);

describe('a run on 400 images', () => {
  test('trains the four configurations and tells so', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const titles = ended.events.flatMap((event) => (event.event === 'trial' ? [event.title] : []));
    expect(titles).toEqual(['ReLU, Glorot, seed 1', 'ELU, Glorot, seed 1', 'ReLU, He, seed 1', 'ELU, He, seed 1']);
    expect(ended.events.filter(({ event }) => event === 'epoch')).toHaveLength(8);
    expect(ended.events.at(-1)).toMatchObject({ event: 'report', html: join(whole, 'report.html') });
  });

  test('leaves a whole report, and the models', () => {
    const report = JSON.parse(readFileSync(join(whole, 'report.json'), 'utf8')) as Report;
    expect(report.runs).toHaveLength(4);
    for (const { history, results, settings } of report.runs) {
      expect(Object.keys(history).sort()).toEqual(['acc', 'loss', 'val_acc', 'val_loss']);
      for (const values of Object.values(history))
        expect(values.every(Number.isFinite) && values.length === 2).toBe(true);
      expect(Object.values(results).every(Number.isFinite)).toBe(true);
      expect(settings).toMatchObject({
        batchSize: 250,
        trainingImages: 320,
        validationImages: 80,
        learningRate: 0.001,
      });
      // 3x3x32 + 32, 3x3x32x64 + 64, 1600x256 + 256, 256x10 + 10
      expect(settings['parameters']).toBe(431_242);
    }
    expect(report.claims).toHaveLength(12);
    // A part of the images says nothing of the document.
    expect(new Set(report.claims.map(({ verdict }) => verdict))).toEqual(new Set(['open']));
    expect(report.claims[6]!.measured).toContain('on 320 of the 48000 training images');
    expect(report.environment.device).toBe('cpu');
    const page = readFileSync(join(whole, 'report.html'), 'utf8');
    expect(page).toContain('320 to train, 80 to validate, 400 to test');
    for (const { figures } of report.sections) {
      for (const { name } of figures) expect(existsSync(join(whole, 'pictures', `${name}.png`))).toBe(true);
    }
    const models = ['relu-glorot', 'elu-glorot', 'relu-he', 'elu-he'].flatMap((key) => [
      `${key}-seed1-best.safetensors`,
      `${key}-seed1.json`,
      `${key}-seed1.safetensors`,
    ]);
    expect(readdirSync(join(whole, 'models')).sort()).toEqual(models.sort());
  });

  test('is not done twice', async () => {
    const again = await start([...ARGUMENTS, '--out', whole]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('expected a new folder, or one without a run');
  });

  test('can be asked for its report again, and for nothing else', async () => {
    const again = await start([...ARGUMENTS, '--resume', '--out', whole]);
    expect(again.code).toBe(0);
    expect(again.events.map(({ event }) => event)).toEqual(['run', 'report']);
    const other = await start(['run', 'mnist-elu', '--resume', '--seed', '2', '--out', whole]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('--seed: expected 1, as when it was begun, got 2; leave it out');
  }, 120_000);
});

describe('a run that is broken off', () => {
  test('by kill -9 at random moments goes on to the same bits', async () => {
    const out = join(folder, 'killed');
    const seed = Math.floor(Math.random() * 1e9);
    const places: string[] = [];
    // One of the moments must be in the middle of training: the third event is the first epoch's.
    let draw = seed;
    const random = (below: number): number => (draw = (draw * 48271 + 1) % 2147483647) % below;
    let last: Ended | undefined;
    for (let kill = 0; kill < 4; kill++) {
      const resume = existsSync(join(out, 'run.json')) ? ['--resume'] : [];
      const ending = { signal: 'SIGKILL' as const, afterEvents: 2 + random(3), delay: random(400) } satisfies Ending;
      last = await start([...ARGUMENTS, '--out', out, ...resume], ending);
      places.push(`${ending.afterEvents} events + ${ending.delay} ms: ${String(last.code)}`);
      expect(last.stderr).toBe('');
    }
    last = await start([...ARGUMENTS, '--out', out, '--resume']);
    expect(last, `seed ${seed}, ${places.join('; ')}`).toMatchObject({ code: 0, stderr: '' });
    expect(bits(out), `seed ${seed}, ${places.join('; ')}`).toEqual(bits(whole));
    // Nothing is left behind but what the run is asked for.
    expect(readdirSync(out).sort()).toEqual(['models', 'pictures', 'report.html', 'report.json', 'run.json', 'trials']);
    expect(readdirSync(join(out, 'trials'))).toHaveLength(4);
  }, 600_000);

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s says how to go on, and goes on to the same bits',
    async (signal) => {
      const out = join(folder, signal);
      const stopped = await start([...ARGUMENTS, '--out', out], { signal, afterEvents: 3, delay: 30 });
      expect(stopped.code).toBe(130);
      expect(stopped.stderr).toBe('stopping after this batch; again to stop at once\n');
      const command = (stopped.events.at(-1) as { resume: string }).resume;
      expect(command).toBe(`npx selfnorm run mnist-elu --resume --out ${out} --json`);
      expect(existsSync(join(out, 'report.html'))).toBe(false);
      const resumed = await start(command.split(' ').slice(2));
      expect(resumed).toMatchObject({ code: 0, stderr: '' });
      expect(bits(out)).toEqual(bits(whole));
    },
    300_000,
  );
});
