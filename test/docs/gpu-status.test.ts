// docs/gpu-status.md has a row for every op of the native table, and none for an op that is not there.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { currentBackend } from '../../src/tensor/device.js';

const rows = readFileSync('docs/gpu-status.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  .filter((cells) => cells.length === 5 && cells[0] !== 'family');
const documented = rows
  .filter(([family]) => family !== 'activations')
  .flatMap(([, names]) => names!.split(',').map((name) => name.trim()));

// `maxPool/backward` belongs to `maxPool`, where it has no row of its own.
const { opNames } = currentBackend();
const native = [...new Set(opNames.map((name) => name.split('/')[0]!))];

describe('the table of what has run on a GPU', () => {
  test('has a row for every op of the native table', () => {
    expect(native.length).toBeGreaterThan(50);
    const covered = new Set([...documented, ...activationTable().keys()]);
    expect(native.filter((name) => !covered.has(name))).toEqual([]);
    expect(rows.map(([family]) => family)).toContain('activations');
  });

  test('names no op that is not there, and none twice', () => {
    expect(documented.filter((name) => !native.includes(name) && !opNames.includes(name))).toEqual([]);
    expect(new Set(documented).size).toBe(documented.length);
  });

  test('says of every row when it last passed, or that it has not run', () => {
    const states = rows.map((cells) => cells[4]!);
    expect(states.length).toBeGreaterThan(10);
    for (const state of states) expect(state).toMatch(/^(not yet run on a GPU|\d{4}-\d\d-\d\d, \S.*)$/);
  });
});
