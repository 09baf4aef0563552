// Mean and variance of what reaches the dense layers and of what each hands on, before any training: SELU's constants hold for
// inputs of mean 0 and variance 1, and a sum of 42 words is not that.
import { model as functional } from '../../models/functional.js';
import { moments } from '../../ops/reductions.js';
import { slice } from '../../ops/slice.js';
import type { RunRecord } from '../../report/report.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RunContext } from '../experiment.js';
import { buildNetwork, WATCHED } from './network.js';
import type { Pairs } from './pairs.js';
import { extentOf, type Configuration } from './trials.js';

const PAIRS = 1000;

/** Name of the record with the moments. */
export const MOMENTS_RECORD = 'moments';

/** Moments of all values that the watched layers hand on while training. */
function momentsOf(configuration: Configuration, x: Tensor[], vectors: Tensor): { mean: number[]; variance: number[] } {
  const { model, ends } = buildNetwork(configuration, vectors);
  const watched = functional({ inputs: model.inputs, outputs: WATCHED.map((name) => ends.get(name)!) });
  try {
    return tidy(() => {
      const found = watched.callAll(x, { training: true }).map((y) => moments(y));
      const numbers = (list: Tensor[]): number[] => list.map((one) => one.dataSync()[0]!);
      return { mean: numbers(found.map((one) => one.mean)), variance: numbers(found.map((one) => one.variance)) };
    });
  } finally {
    watched.dispose();
    model.dispose();
  }
}

/**
 * Moments at `WATCHED` by configuration: in `history` as `<key>/mean` and `<key>/variance`. Configurations that differ in their
 * optimizer alone start alike: the first of them is measured.
 */
export function measureMoments(context: RunContext, pairs: Pairs): RunRecord {
  const { settings, folder } = context;
  const rows = Math.min(PAIRS, pairs.train.y.shape[0]!);
  const x = pairs.train.x.map((ids) => slice(ids, 0, rows));
  const history: Record<string, number[]> = {};
  try {
    for (const configuration of extentOf(settings).configurations) {
      if (configuration.optimizer === 'adam') continue;
      setSeed(settings.seed);
      const { mean, variance } = momentsOf(configuration, x, pairs.vectors);
      history[`${configuration.key}/mean`] = mean;
      history[`${configuration.key}/variance`] = variance;
    }
  } finally {
    for (const ids of x) ids.dispose();
  }
  const record: RunRecord = {
    name: MOMENTS_RECORD,
    configuration: 'Moments at initialisation',
    seed: settings.seed,
    history,
    secondsPerEpoch: [],
    results: {},
    settings: { kind: 'moments', pairs: rows },
  };
  folder.finishTrial(record);
  return record;
}
