// A decoding thread. libvips decodes in libuv's threads, which all threads of the process share; what this thread takes off the
// main one is the rest, which for small images is as much again: building sharp's pipelines, their callbacks, copies, colours.
import { parentPort } from 'node:worker_threads';
import type { Sharp } from 'sharp';
import { channelsOf, isFloat, type DecodePlan, type DecodeResult, type DecodeTask } from './decode-plan.js';
import { grey, lightness } from './lightness.js';

/** Images under way at once: enough for libuv's four threads, few enough not to keep others waiting for one. */
const AT_ONCE = 8;

type Open = (source: string | Uint8Array) => Sharp;

const port = parentPort!;
const waiting: (() => Promise<void>)[] = [];
let running = 0;

function next(): void {
  while (running < AT_ONCE && waiting.length > 0) {
    running++;
    // Jobs do not fail: they note what went wrong.
    void waiting.shift()!().finally(() => {
      running--;
      next();
    });
  }
}

/** The pixels of one image, three bytes each. */
async function decode(
  open: Open,
  source: string | Uint8Array,
  plan: DecodePlan,
  top: number,
  left: number,
): Promise<Uint8Array> {
  const [height, width] = plan.size;
  const [rows, columns] = plan.resize;
  let image = open(source).toColourspace('srgb').removeAlpha();
  if (plan.fit !== 'exact') image = image.resize({ width: columns, height: rows, fit: plan.fit });
  if (rows !== height || columns !== width) image = image.extract({ left, top, width, height });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height !== height) {
    throw new Error(`expected ${width} x ${height} pixels, got ${info.width} x ${info.height}`);
  }
  if (info.channels === 3) return data;
  if (info.channels !== 1) throw new Error(`expected 3 colours, got ${info.channels}`);
  const spread = new Uint8Array(data.length * 3);
  data.forEach((value, pixel) => spread.fill(value, 3 * pixel, 3 * pixel + 3));
  return spread;
}

/** Pixels as the plan wants them, into their place among those of the task. */
function place(rgb: Uint8Array, plan: DecodePlan, into: DecodeResult['pixels'], start: number, length: number): void {
  if (into instanceof Float32Array) return lightness(rgb, into.subarray(start, start + length));
  if (plan.colorMode === 'rgb') return into.set(rgb, start);
  if (plan.colorMode === 'grayscale') return grey(rgb, into.subarray(start, start + length));
  const shares = new Float32Array(length);
  lightness(rgb, shares);
  for (let i = 0; i < length; i++) into[start + i] = Math.round(255 * shares[i]!);
}

/**
 * What libvips tells. Its threads write into one text for the whole process, so that lines come several times, from a neighbour, or not at
 * all: they are the detail, not the message.
 */
function reasonOf({ message }: Error): string {
  const told = message.replace('Warning treated as error due to failOn setting', 'the decoder warns of damaged data');
  const lines = new Set(told.split('\n').map((line) => line.trim()));
  return `cannot be decoded: ${[...lines].filter((line) => line !== '').join('; ') || 'no reason given'}`;
}

function work(open: Open, { id, plan, sources, corners }: DecodeTask): void {
  const length = plan.size[0] * plan.size[1] * channelsOf(plan);
  const pixels = isFloat(plan) ? new Float32Array(sources.length * length) : new Uint8Array(sources.length * length);
  const faults: { index: number; reason: string }[] = [];
  let left = sources.length;
  sources.forEach((source, index) => {
    waiting.push(async () => {
      try {
        const rgb = await decode(open, source, plan, corners[2 * index]!, corners[2 * index + 1]!);
        place(rgb, plan, pixels, index * length, length);
      } catch (error) {
        faults.push({ index, reason: reasonOf(error as Error) });
      }
      if (--left === 0) port.postMessage({ id, pixels, faults } satisfies DecodeResult, [pixels.buffer]);
    });
  });
  next();
}

async function start(): Promise<void> {
  let open: Open;
  try {
    open = (await import('sharp')).default;
  } catch (error) {
    port.postMessage({ ready: false, reason: (error as Error).message.trim().split('\n')[0]! });
    return;
  }
  port.on('message', (task: DecodeTask) => work(open, task));
  port.postMessage({ ready: true, reason: '' });
}

void start();
