// A process that saves while the system refuses (faults.c is preloaded into it). Tells what became of each save, a line of JSON each.
//   saving-process.ts errors FOLDER    a model, with every call of a save failing in every way
//   saving-process.ts kill FOLDER N    two files; the process dies at call N
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { writeTogether } from '../../src/files/write-atomically.js';
import { Faults } from './faults.js';

const [mode, folder, number] = process.argv.slice(2) as [string, string, string];
const faults = new Faults(process.env['FAULTS_CONTROL']!);
const { errno } = constants;

/** What became of one save. */
export interface Outcome {
  readonly what: string;
  readonly at: number;
  readonly call: string;
  /** What the save threw. */
  readonly error: string | null;
  /** Which model the file holds. */
  readonly loaded: string;
  /** Files that are neither of the model's. */
  readonly left: readonly string[];
}

async function errors(): Promise<void> {
  const sn = await import('../../src/index.js');
  const path = join(folder, 'net');
  const make = (units: number): InstanceType<typeof sn.Sequential> => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units, inputShape: [2], name: 'd' })] });
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    return model;
  };
  const [before, after] = [make(3), make(4)];
  const kinds = [
    ['ENOSPC', 1000, 'error', errno.ENOSPC],
    ['EIO', 1, 'error', errno.EIO],
    ['EMFILE', 1000, 'error', errno.EMFILE],
    ['short writes', 1000, 'shortWrite', 0],
    ['a short write', 1, 'shortWrite', 0],
    ['a write of nothing', 1, 'nothingWritten', 0],
  ] as const;
  for (const [what, count, kind, code] of kinds) {
    for (let at = 0; ; at++) {
      await before.save(path, { includeOptimizer: true });
      let error: string | null = null;
      faults.arm(at, count, kind, code);
      try {
        await after.save(path, { includeOptimizer: true });
      } catch (thrown) {
        error = thrown instanceof sn.SelfnormError ? thrown.message : `not ours: ${String(thrown)}`;
      }
      const seen = faults.calls();
      faults.off();
      // A save that ends before that call has none to fail.
      if (seen.length <= at) break;
      const model = await sn.loadLayersModel(path);
      const loaded = model.outputs[0]!.shape[1] === 3 ? 'old' : 'new';
      model.dispose();
      const left = readdirSync(folder).filter((file) => !['net.json', 'net.safetensors'].includes(file));
      const outcome: Outcome = { what, at, call: seen[at] ?? '', error, loaded, left };
      process.stdout.write(`${JSON.stringify(outcome)}\n`);
    }
  }
}

/** Pieces, so that there are several writes. */
const content = (letter: string): Uint8Array[] => [1000, 1, 500].map((size) => Buffer.alloc(size, letter));

if (mode === 'errors') await errors();
else {
  faults.arm(Number(number), 1, 'kill');
  writeTogether([
    { path: join(folder, 'a'), content: content('n') },
    { path: join(folder, 'b'), content: content('n') },
  ]);
  process.stdout.write(faults.calls());
}
