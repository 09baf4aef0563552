// The table of logs: its columns, how it goes on after a training that was stopped or killed, and files that are not its own.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

let folder: string;
let filename: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-csv-'));
  filename = join(folder, 'runs', 'log.csv');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const x = sn.randomNormal([12, 2], 0, 1, 'float32', 1);
const y = sn.ones([12, 1]);
const quiet = { verbose: 0, batchSize: 4, shuffle: false } as const;

function model(): sn.Sequential {
  const made = sn.sequential({
    layers: [sn.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'ones', name: 'only' })],
  });
  made.compile({ optimizer: sn.train.sgd(0.1), loss: 'meanSquaredError' });
  return made;
}

/** Trains with logs of our own; the logger comes last. */
async function train(
  logs: readonly sn.Logs[],
  config: Partial<sn.callbacks.CsvLoggerConfig> = {},
  args: sn.ModelFitArgs = {},
): Promise<string> {
  const net = model();
  const script = {
    onEpochEnd(epoch: number, given?: sn.Logs): void {
      delete given!['loss'];
      Object.assign(given!, logs[epoch]);
    },
  };
  const callbacks = [script, sn.callbacks.csvLogger({ filename, ...config })];
  await net.fit(x, y, { ...quiet, epochs: logs.length, ...args, callbacks });
  return readFileSync(filename, 'utf8');
}

describe('the table', () => {
  test('has a row for each epoch, logs in the order of their names', async () => {
    expect(
      await train([
        { loss: 0.1, acc: 0.5, val_loss: 1e-7 },
        { loss: NaN, acc: 1, val_loss: Infinity },
      ]),
    ).toBe('epoch,acc,loss,val_loss\n0,0.5,0.1,1e-7\n1,1,NaN,Infinity\n');
  });

  test('has the numbers of the history, to the last bit', async () => {
    const { history } = await model().fit(x, y, {
      ...quiet,
      epochs: 3,
      callbacks: [sn.callbacks.csvLogger({ filename }), sn.callbacks.learningRateScheduler((_, rate) => rate / 3)],
      validationData: [x, y],
    });
    const [header, ...rows] = readFileSync(filename, 'utf8').trim().split('\n');
    expect(header).toBe('epoch,loss,val_loss');
    expect(rows.map((row) => row.split(',').map(Number))).toEqual(
      [0, 1, 2].map((epoch) => [epoch, history['loss']![epoch], history['val_loss']![epoch]]),
    );
  });

  test('gets a column for a log that comes up later; what an epoch has not is NA', async () => {
    expect(await train([{ loss: 1 }, { loss: 2, dead: 0.5 }, { dead: 0.25 }])).toBe(
      'epoch,loss,dead\n0,1,NA\n1,2,0.5\n2,NA,0.25\n',
    );
  });

  test('has the separator that is asked for; names are quoted where they must be', async () => {
    const logs = { 'a;b': 1, 'say "c"': 2 };
    const first = await train([logs], { separator: ';' });
    expect(first).toBe('epoch;"a;b";"say ""c"""\n0;1;2\n');
    expect(await train([logs, logs], { separator: ';', append: true })).toBe(`${first}0;1;2\n1;1;2\n`);
  });

  test('replaces an older one, once there is a row to put in its place', async () => {
    await train([{ loss: 1 }, { loss: 2 }]);
    await train([]);
    expect(readFileSync(filename, 'utf8')).toBe('epoch,loss\n0,1\n1,2\n');
    expect(await train([{ loss: 3 }])).toBe('epoch,loss\n0,3\n');
    expect(readdirSync(join(folder, 'runs'))).toEqual(['log.csv']);
  });

  test('has no row for an epoch that was broken off, until it is finished', async () => {
    const whole = model();
    await whole.fit(x, y, { ...quiet, epochs: 4, callbacks: sn.callbacks.csvLogger({ filename }) });
    const wanted = readFileSync(filename, 'utf8');

    const first = model();
    let seen = 0;
    const stop = { onBatchEnd: () => void (first.stopTraining = ++seen === 5) };
    await first.fit(x, y, { ...quiet, epochs: 4, callbacks: [sn.callbacks.csvLogger({ filename }), stop] });
    expect(readFileSync(filename, 'utf8')).toBe(wanted.split('\n').slice(0, 2).join('\n') + '\n');
    const second = model();
    await second.setTrainingState(await first.trainingState());
    const callbacks = sn.callbacks.csvLogger({ filename, append: true });
    await second.fit(x, y, { ...quiet, epochs: 4, initialEpoch: 1, callbacks });
    expect(readFileSync(filename, 'utf8')).toBe(wanted);
  });

  test('keeps the row of an epoch after which a callback ends training', async () => {
    const callbacks = [
      sn.callbacks.earlyStopping({ monitor: 'loss', minDelta: 100 }),
      sn.callbacks.csvLogger({ filename }),
    ];
    const { epoch } = await model().fit(x, y, { ...quiet, epochs: 9, callbacks });
    expect(readFileSync(filename, 'utf8').trim().split('\n')).toHaveLength(1 + epoch.length);
  });
});

describe('appended to', () => {
  const logs = [{ loss: 0.5 }, { loss: 0.25 }, { loss: 0.125 }, { loss: 0.0625 }];
  const whole = 'epoch,loss\n0,0.5\n1,0.25\n2,0.125\n3,0.0625\n';
  const goOn = (initialEpoch: number): Promise<string> => train(logs, { append: true }, { initialEpoch });

  test('goes on with one header, also where there was nothing yet', async () => {
    await train(logs, { append: true }, { epochs: 2 });
    expect(await goOn(2)).toBe(whole);
  });

  test('is the whole table wherever a killed process left it', async () => {
    await train(logs);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(filename, whole.slice(0, length));
      const rowsLeft = Math.max(0, whole.slice(0, length).split('\n').length - 2);
      // What trained on has a checkpoint of the last row's epoch, or an older one.
      for (const initialEpoch of new Set([rowsLeft, Math.max(0, rowsLeft - 1)])) {
        if (initialEpoch === 0 && rowsLeft > 0) continue;
        writeFileSync(filename, whole.slice(0, length));
        expect(await goOn(initialEpoch)).toBe(whole);
      }
    }
  });

  test('keeps the rows of trainings before', async () => {
    const first = await train(logs, { append: true });
    const rows = whole.slice(whole.indexOf('\n') + 1);
    expect(await train(logs, { append: true })).toBe(first + rows);
    expect(await goOn(1)).toBe(first + rows);
  });

  test('keeps its columns, with line ends of either kind', async () => {
    mkdirSync(join(folder, 'runs'));
    writeFileSync(filename, 'epoch,val_loss,loss\r\n0,7,8\r\n');
    expect(await train(logs, { append: true }, { initialEpoch: 1, epochs: 2 })).toBe(
      'epoch,val_loss,loss\r\n0,7,8\r\n1,NA,0.25\n',
    );
  });

  test('refuses a file that is another table, before training', async () => {
    mkdirSync(join(folder, 'runs'));
    writeFileSync(filename, 'name,age\nAnn,7\n');
    await expect(train(logs, { append: true })).rejects.toThrow(
      /csvLogger: .*log\.csv: line 1: expected a table whose first column is epoch, got "name"; name another file/,
    );
    writeFileSync(filename, 'epoch,loss\n0,1,2\n');
    await expect(train(logs, { append: true })).rejects.toThrow(/log\.csv: Invalid Record Length/);
    expect(readFileSync(filename, 'utf8')).toBe('epoch,loss\n0,1,2\n');
  });
});

test('says before training why a file cannot be written', async () => {
  mkdirSync(filename, { recursive: true });
  await expect(train([{ loss: 1 }])).rejects.toThrow(/csvLogger: .*log\.csv: it is a folder/);
  const inFile = join(folder, 'file');
  writeFileSync(inFile, '');
  await expect(train([{ loss: 1 }], { filename: join(inFile, 'log.csv') })).rejects.toThrow(/csvLogger: .*log\.csv: /);
});

test.each<[object, RegExp]>([
  [{}, /callbacks.csvLogger: filename: expected a path, got undefined/],
  [{ filename: 'a', append: 1 }, /append: expected a boolean, got 1/],
  [{ filename: 'a', separator: ', ' }, /separator: expected one character .*, got ", "/],
  [{ filename: 'a', separator: '.' }, /separator: expected one character that is in no number, .*, got "."/],
])('refuses %o', (config, message) => {
  expect(() => sn.callbacks.csvLogger(config as sn.callbacks.CsvLoggerConfig)).toThrow(message);
});
