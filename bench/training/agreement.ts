// Whether the network of `run snli-bow` learns what the same one learns in Keras: both are trained, with batch normalisation, on the
// same ids and word vectors, seed by seed, and their accuracies compared. Not of times. Writes bench/results/.
//   npm run bench:agreement -- --data DIR [--epochs N --seeds N --pairs N --no-write]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { estimateOf, type Estimate } from '../../src/experiments/estimate.js';
import type { RunContext } from '../../src/experiments/experiment.js';
import { RunFolder } from '../../src/experiments/run-folder.js';
import { Pairs } from '../../src/experiments/snli-bow/pairs.js';
import { trainOne } from '../../src/experiments/snli-bow/train.js';
import * as trials from '../../src/experiments/snli-bow/trials.js';
import * as sn from '../../src/index.js';
import { Absences, PeerProcess, PYTHON, type PeerLine } from '../peer-process.js';
import { row, writeResult } from '../record.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    epochs: { type: 'string', default: '10' },
    seeds: { type: 'string', default: '3' },
    pairs: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const epochs = Number(values.epochs);
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const limit = values.pairs === undefined ? undefined : Number(values.pairs);

interface Learnt {
  readonly activation: 'relu' | 'selu';
  readonly seed: number;
  readonly bestEpoch: number;
  readonly validationAccuracy: number;
  readonly testAccuracy: number;
  readonly seconds: number;
}
interface Version extends PeerLine {
  readonly version: string;
}

const COMPARED = trials.CONFIGURATIONS.filter(({ batchNorm }) => batchNorm === 'all');

/** The arrays as bytes for the peer, with what it has to know of them. */
async function writeArrays(folder: string, { train, validation, test, vectors, facts }: Pairs): Promise<void> {
  for (const [name, { x, y }] of Object.entries({ training: train, validation, test })) {
    const parts = { premises: x[0], hypotheses: x[1], labels: y };
    for (const [part, tensor] of Object.entries(parts))
      writeFileSync(join(folder, `${name}-${part}`), await tensor.data());
  }
  writeFileSync(join(folder, 'vectors'), await vectors.data());
  const { MAX_LEN: maxLen, BATCH_SIZE: batchSize, DROPOUT_RATE: dropout, L2: l2, LEARNING_RATE: learningRate } = trials;
  const sizes = { dimension: facts.dimension, maxLen, batchSize, dropout, l2, learningRate };
  writeFileSync(join(folder, 'sizes.json'), JSON.stringify(sizes));
}

/** Runs of the experiment itself. */
async function trainOurs(folder: string, pairs: Pairs): Promise<Learnt[]> {
  const settings = { experiment: 'snli-bow', size: 'default', seed: 1, device: sn.device() } as const;
  const context: RunContext = {
    settings,
    folder: RunFolder.create(join(folder, 'run'), settings),
    signal: new AbortController().signal,
    tell: () => undefined,
  };
  const learnt: Learnt[] = [];
  for (const seed of seeds) {
    for (const configuration of COMPARED) {
      const trial = { name: `${configuration.key}-seed${seed}`, configuration, seed, epochs };
      const { results, secondsPerEpoch } = await trainOne(context, pairs, trial, { index: 1, of: 1 });
      learnt.push({
        activation: configuration.activation,
        seed,
        bestEpoch: results['best_epoch']!,
        validationAccuracy: results['best_val_acc']!,
        testAccuracy: results['test_acc']!,
        seconds: secondsPerEpoch.reduce((sum, each) => sum + each, 0),
      });
      console.log(`selfnorm ${JSON.stringify(learnt.at(-1))}`);
    }
  }
  return learnt;
}

async function trainKeras(folder: string, absences: Absences): Promise<{ version: string; learnt: Learnt[] }> {
  const activations = COMPARED.map(({ activation }) => activation).join(',');
  const peer = new PeerProcess(
    [PYTHON, 'bench/peers/keras_snli_accuracy.py', '--data', folder, '--configurations', activations].concat([
      '--seeds',
      seeds.join(','),
      '--epochs',
      String(epochs),
    ]),
  );
  const learnt: Learnt[] = [];
  let version = '';
  try {
    const first = await peer.next<Version>();
    if (first !== null && absences.admits(first)) version = first.version;
    for (let line = await peer.next<Learnt>(); line !== null; line = await peer.next<Learnt>()) {
      learnt.push(line);
      console.log(`keras ${JSON.stringify(line)}`);
    }
  } catch (error) {
    absences.fail(error);
  }
  return { version, learnt };
}

/** Means of both, and whether they differ by at most two standard errors of the difference. */
function compare(ours: readonly Learnt[], theirs: readonly Learnt[]): object[] {
  const show = ({ mean, error = NaN }: Estimate): string => `${mean.toFixed(4)} ± ${error.toFixed(4)}`;
  console.log(row(['configuration', 'accuracy', 'selfnorm', 'Keras', 'difference', 'two standard errors', 'same']));
  console.log(`|---|---|${'--:|'.repeat(4)}---|`);
  return COMPARED.flatMap(({ activation, label }) =>
    (['validationAccuracy', 'testAccuracy'] as const).map((what) => {
      const [own, other] = [ours, theirs].map((list) =>
        estimateOf(list.filter((each) => each.activation === activation).map((each) => each[what])),
      ) as [Estimate, Estimate];
      const difference = own.mean - other.mean;
      const allowed = 2 * Math.hypot(own.error ?? NaN, other.error ?? NaN);
      const same = Math.abs(difference) <= allowed;
      const numbers = [show(own), show(other), difference.toFixed(4), allowed.toFixed(4)];
      console.log(row([label, what, ...numbers, same ? 'yes' : 'no']));
      return { configuration: label, what, selfnorm: own, keras: other, difference, allowed, same };
    }),
  );
}

const absences = new Absences();
const folder = mkdtempSync(join(tmpdir(), 'selfnorm-snli-'));
try {
  const pairs = await Pairs.load(values.data, limit);
  await writeArrays(folder, pairs);
  const { version, learnt: theirs } = await trainKeras(folder, absences);
  if (theirs.length > 0) {
    const ours = await trainOurs(folder, pairs);
    const report = compare(ours, theirs);
    const [training] = pairs.facts.parts;
    if (!values['no-write']) {
      writeResult('snli-agreement', {
        versions: { selfnorm: sn.version, keras: version },
        data: { pairs: training!.pairs, published: pairs.facts.published, dimension: pairs.facts.dimension },
        epochs,
        seeds,
        report,
        runs: { selfnorm: ours, keras: theirs },
      });
    }
  }
  pairs.dispose();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
absences.print();
