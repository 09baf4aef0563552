// `run all` on experiments made for it, which train nothing: what the page sums up, that a failing one stops nothing but counts,
// and that what is done is not done again.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runAll } from '../../src/cli/run-all.js';
import type { Flags } from '../../src/cli/run-flags.js';
import { failure } from '../../src/errors.js';
import { Interrupted, type Experiment, type Run, type RunContext } from '../../src/experiments/experiment.js';
import { reportOf, tellRun } from '../../src/experiments/run-report.js';
import type { Claim } from '../../src/report/report.js';
import type { Summary } from '../../src/report/summary.js';

let folder: string;
let out: string;
let err: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-all-'));
  [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const claim = (text: string, verdict: Claim['verdict']): Claim => ({
  claim: text,
  measured: `${text}, 3 < 4`,
  verdict,
});
const CLAIMS = {
  first: [claim('<b>ELU</b> is ahead', 'yes'), claim('ReLU is behind', 'no')],
  second: [claim('SELU needs no help', 'yes'), claim('in the long run', 'open'), claim('sometimes', 'partly')],
};

/** The contexts in which an experiment ran, and the experiment; `before` may throw in its place. */
function made(
  name: keyof typeof CLAIMS,
  options: Experiment['options'] = [],
  before: (context: RunContext) => void = () => {},
): { experiment: Experiment; ran: RunContext[] } {
  const ran: RunContext[] = [];
  const run: Run = (context) => {
    ran.push(context);
    tellRun(context, [{ name: 'only' }]);
    before(context);
    const contents = { title: `What ${name} finds`, document: `Document ${name}`, findings: [`${name} found it.`] };
    return Promise.resolve(
      reportOf(context, { ...contents, sections: [], claims: CLAIMS[name], runs: [], settings: { Seeds: '1, 2' } }),
    );
  };
  const sizes = { quick: `${name} at its quickest`, default: 'so', full: 'all' };
  const load = (): Promise<Run> => Promise.resolve(run);
  return { ran, experiment: { name, document: `00 ${name}`, description: name, sizes, options, load } };
}

const index = (): Summary => JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Summary;
const page = (): string => readFileSync(join(folder, 'index.html'), 'utf8');
const events = (): Record<string, unknown>[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const quick = (flags: Flags = {}): Flags => ({ quick: true, device: 'cpu', out: folder, json: true, ...flags });

describe('run all', () => {
  test('writes each report and a page with every claim', async () => {
    const [first, second] = [made('first'), made('second')];
    expect(await runAll([first.experiment, second.experiment], quick())).toBe(0);
    expect(err).toBe('');
    const { entries, finished, command, size } = index();
    expect(command).toBe('npx selfnorm run all --quick --device cpu');
    expect([size, typeof finished]).toEqual(['quick', 'string']);
    expect(entries.map(({ state, report }) => [state, report?.page, report?.claims, report?.seeds])).toEqual([
      ['finished', 'first/report.html', CLAIMS.first, '1, 2'],
      ['finished', 'second/report.html', CLAIMS.second, '1, 2'],
    ]);
    const text = page();
    for (const { report } of entries) {
      expect(text).toContain(`href="${report!.page}"`);
      expect(existsSync(join(folder, report!.page))).toBe(true);
    }
    expect(text).toContain('Claims of the documents: 5. Reproduced: 2; in part: 1; not: 1; left open at this size: 1.');
    expect(text).toContain('&lt;b&gt;ELU&lt;/b&gt; is ahead');
    expect(text.match(/class="claim"/g)).toHaveLength(5);
    expect(text).toContain('second at its quickest; seeds: 1, 2');
    expect(events().at(-1)).toMatchObject({
      event: 'summary',
      html: join(folder, 'index.html'),
      claims: { yes: 2, partly: 1, no: 1, open: 1 },
      failed: [],
    });
    expect(events().filter(({ event }) => event === 'report')).toMatchObject([
      { experiment: 'first', html: join(folder, 'first', 'report.html') },
      { experiment: 'second', html: join(folder, 'second', 'report.html') },
    ]);
  });

  test('gives each experiment the options that it takes', async () => {
    const [first, second] = [made('first', ['epochs', 'data']), made('second', ['steps', 'seeds'])];
    const flags = quick({ epochs: 2, steps: 9, seeds: 3, seed: 7, data: '/somewhere' });
    expect(await runAll([first.experiment, second.experiment], flags)).toBe(0);
    const base = { size: 'quick', seed: 7, device: 'cpu' };
    expect(first.ran[0]!.settings).toEqual({ ...base, experiment: 'first', epochs: 2 });
    expect(first.ran[0]!.data).toBe('/somewhere');
    expect(second.ran[0]!.settings).toEqual({ ...base, experiment: 'second', steps: 9, seeds: 3 });
    expect(second.ran[0]!.data).toBeUndefined();
  });

  test.each([
    ['the library’s error', failure('ERR_ARGUMENT', 'data.snli', 'not here <yet>'), /^selfnorm: data\.snli: not here/],
    ['a fault', new TypeError('not here <yet>'), /TypeError: not here[^]*\nselfnorm: second: not here <yet>\n$/],
  ])('goes on after %s, and says so', async (_what, error, said) => {
    let broken = true;
    const fail = (): void => {
      if (broken) throw error;
    };
    const [second, first] = [made('second', [], fail), made('first')];
    const both = [second.experiment, first.experiment];
    expect(await runAll(both, quick())).toBe(1);
    expect(err).toMatch(said);
    expect(index().entries.map(({ state }) => state)).toEqual(['failed', 'finished']);
    expect(page()).toContain('not here &lt;yet&gt;');
    expect(page()).toContain('Failed, and not counted: second.');
    expect(page()).toContain('Claims of the documents: 2. Reproduced: 1;');
    expect(events().find(({ event }) => event === 'error')).toMatchObject({ experiment: 'second' });
    expect(events().at(-1)).toMatchObject({ event: 'summary', failed: ['second'] });

    broken = false;
    expect(await runAll(both, { out: folder, resume: true, json: true })).toBe(0);
    expect([second.ran.length, first.ran.length]).toEqual([2, 1]);
    expect(index().entries.map(({ state }) => state)).toEqual(['finished', 'finished']);
    expect(page()).not.toContain('not here');
  });

  test('stops where it is interrupted, and goes on from there', async () => {
    let interrupted = true;
    const stop = (): void => {
      if (interrupted) throw new Interrupted();
    };
    const [first, second] = [made('first'), made('second', [], stop)];
    const both = [first.experiment, second.experiment];
    expect(await runAll(both, quick({ data: '/a b' }))).toBe(130);
    expect(events().at(-1)).toMatchObject({
      event: 'interrupted',
      resume: `npx selfnorm run all --resume --out ${folder} --data '/a b' --json`,
    });
    expect(page()).toContain('Not run yet: second.');
    expect(index().finished).toBeUndefined();
    interrupted = false;
    expect(await runAll(both, { out: folder, resume: true })).toBe(0);
    expect([first.ran.length, second.ran.length]).toEqual([1, 2]);
    expect(second.ran[1]!.settings).toEqual(second.ran[0]!.settings);
    expect(page()).toContain('Claims of the documents: 5.');
  });

  test('takes a report that the summary does not know of as it is', async () => {
    const first = made('first');
    expect(await runAll([first.experiment], quick())).toBe(0);
    const { entries, ...rest } = index();
    const { experiment, document, extent } = entries[0]!;
    const forgotten = { experiment, document, extent, state: 'waiting', seconds: 0 };
    writeFileSync(join(folder, 'index.json'), JSON.stringify({ ...rest, entries: [forgotten] }));
    expect(await runAll([first.experiment], quick({ resume: true }))).toBe(0);
    expect(first.ran).toHaveLength(1);
    expect(index().entries).toEqual(entries);
  });

  test('writes over nothing, and goes on with nothing that is not a run of all', async () => {
    const { experiment, ran } = made('first');
    expect(await runAll([experiment], quick())).toBe(0);
    expect(await runAll([experiment], quick())).toBe(1);
    expect(err).toContain('--out: expected a new folder, or one without a run');
    expect(await runAll([experiment], quick({ out: join(folder, 'first') }))).toBe(1);
    err = '';
    expect(await runAll([experiment], quick({ resume: true, out: join(folder, 'first') }))).toBe(1);
    expect(err).toContain('expected the folder of a run of all that was begun');
    err = '';
    expect(await runAll([experiment], quick({ resume: true, seed: 2 }))).toBe(1);
    expect(err).toContain('--seed: expected 1, as when it was begun, got 2');
    err = '';
    writeFileSync(join(folder, 'index.json'), '{"settings": 1}');
    expect(await runAll([experiment], quick({ resume: true }))).toBe(1);
    expect(err).toBe(`selfnorm: run: ${join(folder, 'index.json')}: not the file of a run of all experiments\n`);
    writeFileSync(join(folder, 'index.json'), '{"settings');
    expect(await runAll([experiment], quick({ resume: true }))).toBe(1);
    expect(err).toContain('not readable as JSON');
    expect(ran).toHaveLength(1);
  });
});
