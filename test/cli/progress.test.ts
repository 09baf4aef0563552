// How a run is shown: in a pipe, to machines, and on a terminal.
import { expect, test } from 'vitest';
import { barDisplay, jsonDisplay, plainDisplay } from '../../src/cli/progress.js';
import type { RunEvent } from '../../src/experiments/experiment.js';

const settings = { experiment: 'mnist-elu', size: 'quick', seed: 1, device: 'cpu' } as const;
const begun = { event: 'trial', trial: 'a', title: 'ELU, He', index: 1, of: 4, epochs: 2, batches: 10 } as const;
const EVENTS: readonly RunEvent[] = [
  { event: 'run', settings, folder: '/x', trials: 4, finished: 1 },
  { ...begun, doneEpochs: 0, doneBatches: 0 },
  { event: 'batch', trial: 'a', epoch: 1, batch: 5 },
  { event: 'epoch', trial: 'a', epoch: 1, epochs: 2, logs: { loss: 0.5, val_acc: 0.98 }, seconds: 12.4 },
  { event: 'epoch', trial: 'a', epoch: 2, epochs: 2, logs: { loss: 0.25, val_acc: 0.99 }, seconds: 12 },
  { event: 'trial-end', trial: 'a', results: { test_acc: 0.9875, best_epoch: 3 } },
];

test('in a pipe an epoch is a line', () => {
  const lines: string[] = [];
  const display = plainDisplay((line) => lines.push(line));
  for (const event of EVENTS) display.show(event);
  expect(lines).toEqual([
    'mnist-elu (quick) on cpu: 4 training runs, 1 of them done, into /x',
    '[1/4] ELU, He',
    '  epoch 1/2  12 s  loss 0.5000  val_acc 0.9800',
    '  epoch 2/2  12 s  loss 0.2500  val_acc 0.9900',
    '  test_acc 0.9875  best_epoch 3',
  ]);
});

test('a training run that goes on says where', () => {
  const lines: string[] = [];
  plainDisplay((line) => lines.push(line)).show({ ...begun, doneEpochs: 1, doneBatches: 3 });
  expect(lines).toEqual(['[1/4] ELU, He, goes on in epoch 2']);
});

test('for machines every line is an object, and batches are left out', () => {
  const lines: string[] = [];
  const display = jsonDisplay((line) => lines.push(line));
  for (const event of EVENTS) display.show(event);
  expect(lines.map((line) => (JSON.parse(line) as RunEvent).event)).toEqual([
    'run',
    'trial',
    'epoch',
    'epoch',
    'trial-end',
  ]);
});

test('on a terminal a bar fills and is left complete, and the cursor comes back', () => {
  let shown = '';
  const stream = {
    isTTY: true,
    columns: 120,
    write: (text: string) => ((shown += text), true),
    on: () => stream,
    removeListener: () => stream,
    once: () => stream,
  } as unknown as NodeJS.WriteStream;
  const display = barDisplay(stream);
  for (const event of EVENTS) display.show(event);
  display.close();
  const escape = String.fromCharCode(27);
  expect(shown).toContain('[1/4] ELU, He');
  expect(shown).toContain('█'.repeat(16));
  expect(shown).toContain('epoch 2/2');
  expect(shown).toContain('val_acc 0.9900');
  expect(shown.trimEnd().endsWith('test_acc 0.9875  best_epoch 3')).toBe(true);
  expect(shown.split(`${escape}[?25h`).length).toBeGreaterThanOrEqual(shown.split(`${escape}[?25l`).length);
});
