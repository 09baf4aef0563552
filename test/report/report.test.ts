// The written report of mnist-elu, from recorded runs: complete, self-contained, and the same facts in HTML and JSON.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunSettings, Size } from '../../src/experiments/experiment.js';
import { describeRuns } from '../../src/experiments/mnist-elu/report.js';
import { describeEnvironment } from '../../src/report/environment.js';
import type { Report } from '../../src/report/report.js';
import { writeReport } from '../../src/report/write.js';
import { recordedRuns } from './recorded.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reportOf(size: Size, change: Partial<RunSettings> = {}): Report {
  const settings: RunSettings = { experiment: 'mnist-elu', size, seed: 1, device: 'cpu', ...change };
  const runs = recordedRuns(settings);
  return {
    experiment: 'mnist-elu',
    title: 'ELU & ReLU <on> MNIST',
    document: 'Document 003',
    ...describeRuns(runs),
    command: 'npx selfnorm run mnist-elu',
    runs,
    settings: { Seeds: 3 },
    environment: describeEnvironment(),
    started: '2026-01-02T03:04:05.000Z',
    finished: '2026-01-02T04:04:05.000Z',
    seconds: 3600,
  };
}

describe('a full report', async () => {
  const report = reportOf('full');
  const written = await writeReport(folder, report);
  const page = readFileSync(written.html, 'utf8');

  test('has every picture as SVG and PNG, and inside the page', () => {
    const names = report.sections.flatMap(({ figures }) => figures.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBe(2 * 11 + 6);
    const files = names.flatMap((name) => [`${name}.png`, `${name}.svg`]);
    expect(readdirSync(join(folder, 'pictures')).sort()).toEqual(files.sort());
    expect(page.match(/<img src="data:image\/svg\+xml;base64,/g)).toHaveLength(names.length);
  });

  test('fetches nothing and runs no scripts', () => {
    expect(page).not.toMatch(/<script|<link|@import|url\(/i);
    expect(page.match(/(?:src|href)="(?!data:)/g)).toBeNull();
  });

  test('fits a phone and names its language', () => {
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1" />');
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<img /g)).toHaveLength(page.match(/ alt="[^"]{10,}"/g)!.length);
  });

  test('escapes what it shows', () => {
    expect(page).toContain('<h1>ELU &amp; ReLU &lt;on&gt; MNIST</h1>');
  });

  test('gives every claim a verdict, in the page as in the JSON', () => {
    expect(report.claims.map(({ verdict }) => verdict)).not.toContain('open');
    for (const { verdict } of report.claims)
      expect(page).toContain(`<span class="verdict ${verdict}">${verdict}</span>`);
    expect(page.match(/<span class="verdict /g)).toHaveLength(report.claims.length);
    const json = JSON.parse(readFileSync(written.json, 'utf8')) as Report;
    expect(json.claims).toEqual(report.claims);
    expect(json.runs).toHaveLength(33);
    expect(json.runs[0]).toEqual(report.runs[0]);
    expect(json.environment.device).toBe('cpu');
  });
});

describe('verdicts', () => {
  const verdicts = (report: Report): string[] => report.claims.map(({ verdict }) => verdict);

  test('leave what a quick run cannot tell open, and say how to tell', () => {
    const { claims } = reportOf('quick');
    expect(verdicts(reportOf('quick')).filter((verdict) => verdict !== 'open')).toHaveLength(1);
    const measured = claims.filter(({ verdict }) => verdict === 'open').map((claim) => claim.measured);
    for (const text of measured)
      expect(text).toMatch(/run it (with --|at the usual size)|3 of the 250? epochs it takes to tell/);
  });

  test('a difference of one seed is not taken for a law', () => {
    const higher = reportOf('default').claims.find(({ claim }) =>
      claim.startsWith('With Glorot initialisation ELU is'),
    )!;
    expect(higher.verdict).toBe('partly');
    expect(higher.measured).toContain('One seed does not show the spread');
    const clear = reportOf('default', { seeds: 4 }).claims.find(({ claim }) => claim === higher.claim)!;
    expect(clear.verdict).toBe('yes');
  });

  test('say no when it is no', () => {
    const lower = reportOf('full').claims.find(({ claim }) =>
      claim.startsWith('With He initialisation ELU is slightly'),
    )!;
    expect(lower.verdict).toBe('no');
    expect(lower.measured).toContain('The difference goes the other way.');
  });
});

test('early stopping that never stopped is not held against the document', () => {
  const { claims } = describeRuns(
    recordedRuns({ experiment: 'mnist-elu', size: 'default', seed: 1, device: 'cpu', epochs: 8 }),
  );
  expect(claims.at(-1)).toMatchObject({ claim: 'The same over 25 epochs.', verdict: 'open' });
  expect(claims.at(-1)!.measured).toContain('nothing was stopped in 8 epochs');
});
