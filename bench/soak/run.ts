// Fit, predict, save and load in one process for a long time, with memory that stays flat. Looks at the process every few seconds,
// after a full garbage collection, and fails when anything grows. Writes bench/results/.
//   npm run soak -- [--minutes 30] [--no-write]
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as sn from '../../src/index.js';
import { writeResult } from '../record.js';
import { growing, MOST_PER_HOUR, settled, slopePerHour, type Quantity, type Sample } from './flat.js';
import { round } from './work.js';

const SECONDS_BETWEEN_LOOKS = 10;
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, 'no-write': { type: 'boolean', default: false } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes: expected a number above 0');

/** How many entries a folder of /proc/self has; 0 where there is no /proc. */
function entries(name: string): number {
  try {
    return readdirSync(`/proc/self/${name}`).length;
  } catch {
    return 0;
  }
}

const MIB = 2 ** 20;
const begun = performance.now();
const elapsed = (): number => (performance.now() - begun) / 60_000;

async function look(rounds: number): Promise<Sample> {
  // Twice, with a turn between: finalizers of the first collection run in the turn and let go of more.
  for (let i = 0; i < 2; i++) {
    globalThis.gc!();
    await setTimeout(0);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const { numTensors, numBytes, cachedBytes } = sn.memory();
  return {
    minutes: elapsed(),
    rounds,
    rssMiB: rss / MIB,
    heapMiB: heapUsed / MIB,
    externalMiB: external / MIB,
    numTensors,
    numBytes,
    cachedBytes,
    openFiles: entries('fd'),
    threads: entries('task'),
  };
}

const show = (value: number): string => value.toFixed(Number.isInteger(value) ? 0 : 2);
const folder = mkdtempSync(join(tmpdir(), 'selfnorm-soak-'));
const samples: Sample[] = [];
sn.setSeed(0);
try {
  let rounds = 0;
  for (let next = 0; elapsed() < minutes;) {
    await round(rounds++, folder);
    if (elapsed() * 60 < next) continue;
    next = elapsed() * 60 + SECONDS_BETWEEN_LOOKS;
    const sample = await look(rounds);
    samples.push(sample);
    if (samples.length % 6 === 1) {
      const { rssMiB, heapMiB, numTensors, numBytes } = sample;
      console.log(
        `${sample.minutes.toFixed(1)} min: ${rounds} rounds, ${rssMiB.toFixed(1)} MiB resident, ${heapMiB.toFixed(1)} MiB heap, ` +
          `${numTensors} tensors of ${numBytes} bytes`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const counted = settled(samples);
console.log('\nafter the first third, by the hour (and what is allowed):');
const slopes = Object.fromEntries(
  (Object.keys(MOST_PER_HOUR) as Quantity[]).map((quantity) => [quantity, slopePerHour(counted, quantity)]),
) as Record<Quantity, number>;
for (const [quantity, slope] of Object.entries(slopes)) {
  const range = counted.map((sample) => sample[quantity as Quantity]);
  const [least, most] = [Math.min(...range), Math.max(...range)];
  console.log(
    `  ${quantity}: ${show(slope)} (${show(MOST_PER_HOUR[quantity as Quantity])}); from ${show(least)} to ${show(most)}`,
  );
}
const faults = growing(samples);
for (const { quantity, perHour } of faults) console.log(`soak: ${quantity} grows by ${show(perHour)} an hour`);
if (!values['no-write']) writeResult('soak', { minutes, rounds: samples.at(-1)?.rounds ?? 0, slopes, samples });
process.exitCode = faults.length > 0 ? 1 : 0;
