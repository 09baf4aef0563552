// Event files: the checksum, what the writer writes as an independent reader has it, and that reader on a file of TensorBoard's
// own writer. `npm run check:tensorboard` reads ours with TensorBoard's own reader.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { crc32c, maskedCrc32c } from '../../src/interchange/tensorboard/crc32c.js';
import { readEvents, type ReadEvent } from './event-reader.js';

const root = mkdtempSync(join(tmpdir(), 'selfnorm-events-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const newFolder = (): string => join(root, String(made++));

/** The events of the one file in a folder, without its first. */
function written(folder: string): ReadEvent[] {
  const [name, ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  const [first, ...events] = readEvents(readFileSync(join(folder, name!)));
  expect(first).toMatchObject({ step: 0, version: 'brain.Event:2' });
  return events;
}

describe('the checksum', () => {
  test('is CRC-32C, with the check values of RFC 3720', () => {
    const check = (bytes: Uint8Array): string => crc32c(bytes).toString(16);
    expect(check(Buffer.from('123456789'))).toBe('e3069283');
    expect(check(new Uint8Array(32))).toBe('8a9136aa');
    expect(check(new Uint8Array(32).fill(255))).toBe('62a8ab43');
    expect(crc32c(new Uint8Array(0))).toBe(0);
  });

  test('is masked as TensorFlow does it', () => {
    // ((0xe3069283 >>> 15 | 0xe3069283 << 17) + 0xa282ead8) mod 2^32, worked out by hand.
    expect(maskedCrc32c(Buffer.from('123456789')).toString(16)).toBe('c78ab0e5');
  });
});

describe("the tests' reader", () => {
  test("reads a file of TensorBoard's own writer", () => {
    const { file, events } = JSON.parse(readFileSync('test/fixtures/tensorboard/events.json', 'utf8')) as {
      file: string;
      events: Record<string, unknown>[];
    };
    const [first, scalar, histogram, image] = readEvents(Buffer.from(file, 'base64'));
    expect(first!.version).toBe('brain.Event:2');
    expect(scalar).toMatchObject({ step: 3, tag: 'loss', scalar: Math.fround(0.1), wallTime: 1500000000.25 });
    const { num, sum_squares, ...rest } = events[1]!['histogram'] as Record<string, unknown>;
    expect(histogram).toMatchObject({ step: 2 ** 40, histogram: { ...rest, count: num, sumOfSquares: sum_squares } });
    const { bytes, ...size } = events[2]!['image'] as Record<string, unknown>;
    expect(image!.image).toMatchObject(size);
    expect(image!.image!.png.length).toBe(bytes);
  });

  test('finds a changed byte anywhere', () => {
    const folder = newFolder();
    const writer = new sn.SummaryWriter(folder);
    writer.scalar('a', 1, 2);
    writer.close();
    const file = readFileSync(writer.path);
    for (let at = 0; at < file.length; at++) {
      const broken = Buffer.from(file);
      broken[at]! ^= 4;
      expect(() => readEvents(broken), `byte ${at}`).toThrow();
    }
  });
});

describe('SummaryWriter', () => {
  test('writes numbers, steps beyond 32 bits, and names in any language', () => {
    const folder = newFolder();
    const writer = new sn.SummaryWriter(folder, { suffix: '.v2' });
    const start = Date.now() / 1000;
    writer.scalar('loss', 0.1, 0);
    writer.scalar('Größe/日本', -Infinity, 2 ** 52);
    writer.scalar('nothing', NaN, 127);
    writer.close();
    const events = written(folder);
    expect(events.map(({ tag, step, scalar }) => [tag, step, scalar])).toEqual([
      ['loss', 0, Math.fround(0.1)],
      ['Größe/日本', 2 ** 52, -Infinity],
      ['nothing', 127, NaN],
    ]);
    expect(events.every(({ wallTime }) => wallTime >= start && wallTime <= Date.now() / 1000)).toBe(true);
    expect(writer.path).toMatch(/events\.out\.tfevents\.\d{10}\..*\.v2$/);
  });

  test('counts values in buckets of one width, and leaves out what is not finite', () => {
    const folder = newFolder();
    const writer = new sn.SummaryWriter(folder);
    writer.histogram('a', [0, 1, 2, 3, 4, NaN, Infinity, -Infinity], 1, 4);
    writer.histogram('equal', [2, 2], 2);
    writer.histogram('none', [], 3);
    writer.histogram(
      'many',
      Float32Array.from({ length: 10_000 }, (_, i) => Math.sin(i)),
      4,
    );
    writer.close();
    const [a, equal, none, many] = written(folder).map(({ histogram }) => histogram!);
    expect(a).toEqual({
      min: 0,
      max: 4,
      count: 5,
      sum: 10,
      sumOfSquares: 30,
      limits: [1, 2, 3, 4],
      counts: [1, 1, 1, 2],
    });
    expect(equal).toMatchObject({ limits: [2], counts: [2] });
    expect(none).toMatchObject({ count: 0, limits: [0], counts: [0] });
    expect(many!.counts).toHaveLength(30);
    expect(many!.counts.reduce((sum, count) => sum + count)).toBe(10_000);
  });

  test('writes images as PNG files of the same pixels', async () => {
    const folder = newFolder();
    const writer = new sn.SummaryWriter(folder);
    for (const channels of [1, 3, 4] as const) {
      const pixels = Uint8Array.from({ length: 5 * 3 * channels }, (_, i) => (i * 37) % 256);
      await writer.image('x', { width: 5, height: 3, channels, pixels }, channels);
    }
    writer.close();
    for (const { step, image } of written(folder)) {
      expect(image).toMatchObject({ width: 5, height: 3, channels: step });
      const decoded = await sharp(image!.png)
        .toColourspace(step === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer();
      expect([...decoded]).toEqual(Array.from({ length: 5 * 3 * step }, (_, i) => (i * 37) % 256));
    }
  });

  test('writes to the disk when it is flushed, when much waits and when it is closed', () => {
    const folder = newFolder();
    const writer = new sn.SummaryWriter(folder, { bufferBytes: 200 });
    const count = (): number => written(folder).length;
    writer.scalar('a', 1, 1);
    expect(count()).toBe(0);
    writer.flush();
    expect(count()).toBe(1);
    for (let step = 0; step < 6; step++) writer.scalar('a', 1, step);
    expect(count()).toBeGreaterThan(3);
    writer.close();
    expect(count()).toBe(7);
    expect(() => writer.scalar('a', 1, 8)).toThrow(/SummaryWriter.scalar: writer: expected an open writer/);
  });

  test('refuses what it cannot write', async () => {
    const writer = new sn.SummaryWriter(newFolder());
    expect(() => writer.scalar('', 1, 1)).toThrow(/tag: expected a name/);
    expect(() => writer.scalar('a', '1' as unknown as number, 1)).toThrow(/value: expected a number/);
    expect(() => writer.scalar('a', 1, 0.5)).toThrow(/step: expected an integer/);
    expect(() => writer.histogram('a', [1], 1, 0)).toThrow(/buckets: expected an integer/);
    const pixels = new Uint8Array(5);
    await expect(writer.image('a', { width: 2, height: 2, channels: 1, pixels }, 1)).rejects.toThrow(
      /expected 4 bytes, got 5/,
    );
    await expect(writer.image('a', { width: 0, height: 2, channels: 1, pixels }, 1)).rejects.toThrow(
      /width, height: expected/,
    );
    writer.close();
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => new sn.SummaryWriter(join(file, 'folder'))).toThrow(/SummaryWriter: .*file/);
  });
});

describe('callbacks.tensorBoard', () => {
  const fit = async (config: Parameters<typeof sn.callbacks.tensorBoard>[0], epochs = 2): Promise<sn.Model> => {
    const model = sn.sequential();
    model.add(sn.layers.dense({ units: 3, activation: 'selu', inputShape: [4], name: 'hidden' }));
    model.add(sn.layers.dense({ units: 1, name: 'out' }));
    model.compile({ loss: 'meanSquaredError', optimizer: 'adam', metrics: ['mae'] });
    const [x, y] = [sn.randomNormal([12, 4]), sn.randomNormal([12, 1])];
    const options = { epochs, batchSize: 4, validationData: [x, y] as [sn.Tensor, sn.Tensor], verbose: 0 as const };
    history = await model.fit(x, y, { ...options, callbacks: [sn.callbacks.tensorBoard(config)] });
    return model;
  };
  let history: Awaited<ReturnType<sn.Model['fit']>>;

  test("writes the history's numbers to Keras's folders, and all weights' histograms", async () => {
    const logDir = newFolder();
    const model = await fit({ logDir, histogramFreq: 2 }, 3);
    expect(readdirSync(logDir).sort()).toEqual(['train', 'validation']);
    const train = written(join(logDir, 'train'));
    const scalars = (events: ReadEvent[], name: string): unknown[] =>
      events.filter(({ tag }) => tag === name).map(({ step, scalar }) => [step, scalar]);
    const logged = (name: string): unknown[] =>
      history.history[name]!.map((value, epoch) => [epoch, Math.fround(Number(value))]);
    expect(scalars(train, 'epoch_loss')).toEqual(logged('loss'));
    expect(scalars(train, 'epoch_mae')).toEqual(logged('mae'));
    expect(scalars(written(join(logDir, 'validation')), 'epoch_loss')).toEqual(logged('val_loss'));
    const histograms = train.filter(({ histogram }) => histogram !== undefined);
    expect(histograms.map(({ tag, step }) => [tag, step])).toEqual(
      model.namedWeights().map(({ name }) => [`${name}/histogram`, 1]),
    );
    expect(histograms.map(({ histogram }) => histogram!.count)).toEqual(model.weights.map(({ size }) => size));
  });

  test('writes every batch when asked to', async () => {
    const logDir = newFolder();
    await fit({ logDir, updateFreq: 'batch' });
    const losses = written(join(logDir, 'train')).filter(({ tag }) => tag === 'batch_loss');
    expect(losses.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('refuses options that are none', () => {
    expect(() => sn.callbacks.tensorBoard({ logDir: '' })).toThrow(/callbacks.tensorBoard: logDir: expected a path/);
    expect(() => sn.callbacks.tensorBoard({ histogramFreq: -1 })).toThrow(/histogramFreq: expected an integer/);
    expect(() => sn.callbacks.tensorBoard({ updateFreq: 'never' as 'epoch' })).toThrow(/updateFreq: expected/);
  });

  test('says why a folder cannot be written to', async () => {
    const file = join(root, 'occupied');
    mkdirSync(root, { recursive: true });
    writeFileSync(file, '');
    await expect(fit({ logDir: file })).rejects.toThrow(/SummaryWriter: .*occupied/);
  });
});
