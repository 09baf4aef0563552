// relu-approximation through the command line, as a process of its own: few steps of every fit, the whole report; killed at
// random moments and stopped by Ctrl-C, it goes on to the same numbers.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseExactly } from '../../src/experiments/exact-json.js';
import type { Report, RunRecord } from '../../src/report/report.js';
import { start, type Ended, type Ending } from '../harness/command-line.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-relu-approximation-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ARGUMENTS = ['run', 'relu-approximation', '--quick', '--steps', '6', '--device', 'cpu', '--json'];
/** Parts of the quick size: grid with two learning rates, fresh batches, random starts, maps. */
const PARTS = 5;

/** Everything a run leaves that must not depend on how often it was broken off. */
function numbers(out: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of readdirSync(join(out, 'trials'))) {
    const record = parseExactly(readFileSync(join(out, 'trials', name), 'utf8')) as RunRecord;
    result[name] = { ...record, secondsPerEpoch: [] };
  }
  for (const name of readdirSync(join(out, 'pictures')))
    result[name] = readFileSync(join(out, 'pictures', name), 'hex');
  const { claims, sections, findings } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
  return { ...result, claims, sections, findings };
}

const whole = join(folder, 'whole');
let ended: Ended;
beforeAll(async () => {
  ended = await start([...ARGUMENTS, '--out', whole]);
}, 300_000);

test('a run fits every activation and leaves a whole report', () => {
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const report = JSON.parse(readFileSync(join(whole, 'report.json'), 'utf8')) as Report;
  const activations = new Set(report.runs.map(({ settings }) => settings['key']));
  expect([...activations]).toEqual(expect.arrayContaining(['relu', 'elu', 'selu', 'softplus', 'gelu', 'prelu']));
  expect(report.runs).toHaveLength(PARTS * activations.size);
  expect(ended.events.filter(({ event }) => event === 'trial-end')).toHaveLength(report.runs.length);
  for (const { settings, lists } of report.runs) {
    if (settings['part'] === 'map') expect(lists!['shape']).toHaveLength(21 * 21);
    if (settings['part'] === 'starts') expect(lists!['error']).toHaveLength(200);
  }
  // Six steps say nothing of the document.
  expect(new Set(report.claims.map(({ verdict }) => verdict))).toEqual(new Set(['open']));
  for (const { figures } of report.sections) {
    for (const { name } of figures) expect(existsSync(join(whole, 'pictures', `${name}.png`))).toBe(true);
  }
  expect(readFileSync(join(whole, 'report.html'), 'utf8')).toContain('relu-approximation --quick --steps 6');
});

test('killed at random moments it goes on to the same numbers', async () => {
  const out = join(folder, 'killed');
  const seed = Math.floor(Math.random() * 1e9);
  let draw = seed;
  const random = (below: number): number => (draw = (draw * 48271 + 1) % 2147483647) % below;
  const places: string[] = [];
  for (let kill = 0; kill < 3; kill++) {
    const resume = existsSync(join(out, 'run.json')) ? ['--resume'] : [];
    const ending = { signal: 'SIGKILL' as const, afterEvents: 1 + random(60), delay: random(30) } satisfies Ending;
    const killed = await start([...ARGUMENTS, '--out', out, ...resume], ending);
    places.push(`${ending.afterEvents} events + ${ending.delay} ms: ${String(killed.code)}`);
    expect(killed.stderr).toBe('');
  }
  const last = await start([...ARGUMENTS, '--out', out, '--resume']);
  expect(last, `seed ${seed}, ${places.join('; ')}`).toMatchObject({ code: 0, stderr: '' });
  expect(numbers(out), `seed ${seed}, ${places.join('; ')}`).toEqual(numbers(whole));
}, 300_000);

test('Ctrl-C says how to go on, and it goes on to the same numbers', async () => {
  const out = join(folder, 'stopped');
  const stopped = await start([...ARGUMENTS, '--out', out], { signal: 'SIGINT', afterEvents: 20, delay: 0 });
  expect(stopped.code).toBe(130);
  const { resume } = stopped.events.at(-1) as { resume: string };
  expect(resume).toBe(`npx selfnorm run relu-approximation --resume --out ${out} --json`);
  expect(existsSync(join(out, 'report.html'))).toBe(false);
  expect(await start(resume.split(' ').slice(2))).toMatchObject({ code: 0, stderr: '' });
  expect(numbers(out)).toEqual(numbers(whole));
}, 300_000);

test('options of other experiments are refused', async () => {
  const refused = await start(['run', 'relu-approximation', '--epochs', '3']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("unknown option '--epochs'");
});
