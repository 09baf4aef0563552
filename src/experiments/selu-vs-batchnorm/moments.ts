// Mean and variance of what each layer of the deep network hands on, before any training: where normalisation shows.
import { model } from '../../models/functional.js';
import { moments } from '../../ops/reductions.js';
import { slice } from '../../ops/slice.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import type { RunRecord } from '../../report/report.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RunContext } from '../experiment.js';
import type { Images } from '../images.js';
import { buildNetwork, DENSE_DEPTH } from './network.js';
import { CONFIGURATIONS, type Configuration, type Task } from './trials.js';

const IMAGES = 1000;

/** Name of the record with a task's moments. */
export const momentsRecordName = (task: Task): string => `${task.key}-moments`;

/** The layers' mean of means, and mean of their units' variances over the images. */
function momentsOf(task: Task, configuration: Configuration, x: Tensor): { mean: number[]; variance: number[] } {
  const network = buildNetwork(task, configuration, x.shape.slice(1));
  const ends = Array.from({ length: DENSE_DEPTH }, (_, i) => {
    const own = network.layers.filter(({ name }) => name === `dense${i + 1}` || name.startsWith(`dense${i + 1}_`));
    return own.at(-1)!.output as SymbolicTensor;
  });
  const watched = model({ inputs: network.inputs, outputs: ends });
  try {
    return tidy(() => {
      const found = watched.callAll([x], { training: true }).map((y) => moments(y));
      const numbers = (list: Tensor[]): number[] => list.map((one) => one.dataSync()[0]!);
      return { mean: numbers(found.map((one) => one.mean)), variance: numbers(found.map((one) => one.variance)) };
    });
  } finally {
    watched.dispose();
    network.dispose();
  }
}

/**
 * Moments after each hidden layer of the dense network, as the next one sees them while training, by configuration: in `history`
 * as `<key>/mean` and `<key>/variance`, one value a layer.
 */
export function measureMoments(context: RunContext, task: Task, images: Images): RunRecord {
  const name = momentsRecordName(task);
  const { seed } = context.settings;
  const { trainX } = images;
  const rows = Math.min(IMAGES, trainX.shape[0]!);
  const x = slice(trainX, 0, rows);
  const history: Record<string, number[]> = {};
  for (const configuration of CONFIGURATIONS) {
    setSeed(seed);
    const { mean, variance } = momentsOf(task, configuration, x);
    history[`${configuration.key}/mean`] = mean;
    history[`${configuration.key}/variance`] = variance;
  }
  x.dispose();
  const record: RunRecord = {
    name,
    configuration: `${task.label}: moments at initialisation`,
    seed,
    history,
    secondsPerEpoch: [],
    results: {},
    settings: { kind: 'moments', task: task.key, images: rows },
  };
  context.folder.finishTrial(record);
  return record;
}
