// CSV: names, types, labels, quotes, and errors that name file, line and column.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { serveFiles, testFolder, warnings, write } from './made-files.js';

function csvFile(text: string): string {
  const folder = testFolder();
  write(folder, { 'made.csv': text });
  return join(folder, 'made.csv');
}

describe('rows', () => {
  test('are objects by column name with numbers, booleans and text', async () => {
    const dataset = sn.data.csv(csvFile('size,name,good,note\n1.5,"a, ""b""",true,\n-2e3,c,FALSE,"two\nlines"\n'));
    expect(await dataset.columnNames()).toEqual(['size', 'name', 'good', 'note']);
    const rows = [
      { size: 1.5, name: 'a, "b"', good: true, note: undefined },
      { size: -2000, name: 'c', good: false, note: 'two\nlines' },
    ];
    expect(await dataset.toArray()).toEqual(rows);
    expect(await dataset.toArray()).toEqual(rows);
    expect(dataset.size).toBeNull();
  });

  test('part into xs and ys where columns are labels, and become batches', async () => {
    const dataset = sn.data.csv(csvFile('a,b,y\n1,2,0\n3,4,1\n5,6,1\n'), { columnConfigs: { y: { isLabel: true } } });
    expect((await dataset.toArray())[1]).toEqual({ xs: { a: 3, b: 4 }, ys: { y: 1 } });
    const numbers = dataset as sn.data.Dataset<{ xs: Record<string, number>; ys: Record<string, number> }>;
    const batches = await numbers
      .map(({ xs, ys }) => ({ xs: Object.values(xs), ys: Object.values(ys) }))
      .batch(2)
      .toArray();
    expect(batches.map(({ xs, ys }) => [xs.arraySync(), ys.arraySync()])).toEqual([
      [
        [
          [1, 2],
          [3, 4],
        ],
        [[0], [1]],
      ],
      [[[5, 6]], [[1]]],
    ]);
  });

  test('take declared types, defaults, and only configured columns', async () => {
    const dataset = sn.data.csv(csvFile('a,b,c,d\n007,1,,4\n'), {
      configuredColumnsOnly: true,
      columnConfigs: {
        a: { dtype: 'string' },
        b: { dtype: 'bool' },
        c: { dtype: 'int32', default: -1, required: true },
      },
    });
    expect(await dataset.toArray()).toEqual([{ a: '007', b: true, c: -1 }]);
  });

  test.each<[string, string, sn.data.CsvConfig]>([
    ['without a header', '1;2\n3;4\n', { hasHeader: false, columnNames: ['p', 'q'], delimiter: ';' }],
    ['with names for the header', 'x;y\n1;2\n3;4', { columnNames: ['p', 'q'], delimiter: ';' }],
    ['with a byte order mark, line ends of Windows and empty lines', '\ufeffp,q\r\n1,2\r\n\r\n3,4\r\n', {}],
  ])('are read %s', async (_, text, config) => {
    const dataset = sn.data.csv(csvFile(text), config);
    expect(await dataset.columnNames()).toEqual(['p', 'q']);
    expect(await dataset.toArray()).toEqual([
      { p: 1, q: 2 },
      { p: 3, q: 4 },
    ]);
  });

  test('come from an address as from a path', async () => {
    const path = csvFile('a\n1\n');
    const server = await serveFiles({ 'made.csv': Buffer.from('a\n2\n') });
    expect(await sn.data.csv(pathToFileURL(path).href).toArray()).toEqual([{ a: 1 }]);
    expect(await sn.data.csv(`${server}made.csv`).toArray()).toEqual([{ a: 2 }]);
    await expect(sn.data.csv(`${server}gone.csv`).toArray()).rejects.toThrow(
      `data.csv: ${server}gone.csv: cannot be read: HTTP status 404`,
    );
  });

  test('of a large file can be left early', async () => {
    const path = csvFile(`a\n${'1\n'.repeat(200_000)}`);
    expect(await sn.data.csv(path).take(3).toArray()).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
    expect(await sn.data.csv(path).columnNames()).toEqual(['a']);
  });

  test('give back any text that was written', async () => {
    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string(), fc.double()), { minLength: 1, maxLength: 9 }), async (rows) => {
        const text = rows.map(([word, number]) => `${quote(word)},${Object.is(number, -0) ? '-0' : number}`).join('\n');
        const dataset = sn.data.csv(csvFile(`"w",n\n${text}\n`), {
          columnConfigs: { w: { dtype: 'string', default: '' }, n: { dtype: 'float32' } },
        });
        expect(await dataset.toArray()).toEqual(rows.map(([w, n]) => ({ w, n })));
      }),
      { numRuns: 40 },
    );
  });
});

describe('errors', () => {
  test.each<[string, string, sn.data.CsvConfig, string]>([
    ['an empty file', '', {}, 'made.csv:1: expected column names, got an empty file'],
    ['a row that is too short', 'a,b\n1,2\n3\n', {}, 'made.csv:3: '],
    ['an open quote', 'a,b\n"1,2\n', {}, 'Quote Not Closed'],
    ['a name twice', 'a,a\n1,2\n', {}, ':1: expected column names that differ, got "a" twice'],
    [
      'a number that is none',
      'a\n1\nx\n',
      { columnConfigs: { a: { dtype: 'float32' } } },
      ':3: column "a": expected a number, got "x"',
    ],
    [
      'an integer that is none',
      'a\n1.5\n',
      { columnConfigs: { a: { dtype: 'int32' } } },
      ':2: column "a": expected an integer of 32 bits, got "1.5"',
    ],
    [
      'a boolean that is none',
      'a\nyes\n',
      { columnConfigs: { a: { dtype: 'bool' } } },
      ':2: column "a": expected true or false, got "yes"',
    ],
    [
      'a missing value',
      'a,b\n,1\n',
      { columnConfigs: { a: { required: true } } },
      ':2: column "a": expected a value, got ""',
    ],
    ['too few names', 'a,b\n1,2\n', { columnNames: ['a'] }, 'columnNames: expected 2 names, as the header has, got 1'],
    [
      'a config for no column',
      'a\n1\n',
      { columnConfigs: { z: {} } },
      'columnConfigs: expected columns of the file (a), got "z"',
    ],
  ])('%s', async (_, text, config, expected) => {
    const error = await sn.data
      .csv(csvFile(text), config)
      .toArray()
      .then(
        () => expect.unreachable('expected an error'),
        (reason: unknown) => reason as Error,
      );
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain('\n');
  });

  test.each<[string, () => unknown, string]>([
    ['source', () => sn.data.csv(''), 'data.csv: source: expected a path or an address, got ""'],
    [
      'columnNames',
      () => sn.data.csv('x', { hasHeader: false }),
      'data.csv: columnNames: expected names, where hasHeader is false, got undefined',
    ],
    [
      'delimiter',
      () => sn.data.csv('x', { delimiter: '' }),
      'data.csv: delimiter: expected at least one character, got ""',
    ],
    [
      'dtype',
      () => sn.data.csv('x', { columnConfigs: { a: { dtype: 'text' as never } } }),
      'data.csv: columnConfigs.a.dtype: expected one of float32, int32, bool, string, got "text"',
    ],
  ])('of arguments come at once: %s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test('a file that is not there', async () => {
    const path = join(testFolder(), 'gone.csv');
    await expect(sn.data.csv(path).toArray()).rejects.toThrow(`data.csv: ${path}: cannot be read: ENOENT`);
    await expect(sn.data.csv(path).columnNames()).rejects.toThrow(`data.csv: ${path}: cannot be read: ENOENT`);
  });
});

test('rows that are wrong are left out, counted and named when told to', async () => {
  const file = csvFile('a,b\n1,2\n3\n4,x\n5,6\n');
  const warned = warnings();
  const dataset = sn.data.csv(file, { columnConfigs: { b: { dtype: 'int32' } }, onBadRecord: 'skip' });
  expect(await dataset.toArray()).toEqual([
    { a: 1, b: 2 },
    { a: 5, b: 6 },
  ]);
  expect(await warned()).toEqual(['data.csv: left out 2 records, the first made.csv:3: expected 2 fields, got 1']);
  expect(() => sn.data.csv(file, { onBadRecord: 'no' as 'skip' })).toThrow(
    "data.csv: onBadRecord: expected 'error' or 'skip', got \"no\"",
  );
});

test('an error about a field with line ends in it is one line all the same', async () => {
  const broken = sn.data.csv(csvFile('a,b\r1,"x"\ny\r')).toArray();
  await expect(broken).rejects.toThrow(/^data\.csv: made\.csv:2: Invalid Closing Quote: got "\\n"[^\n]*$/);
});
