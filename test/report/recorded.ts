// Recorded runs of mnist-elu as training would leave them, without training: curves that fall and, for ELU, turn up again.
import type { RunSettings } from '../../src/experiments/experiment.js';
import { trialsOf } from '../../src/experiments/mnist-elu/trials.js';
import type { RunRecord } from '../../src/report/report.js';

/** A small repeatable noise in [-1, 1]. */
const noise = (i: number, seed: number): number => Math.sin(i * 12.9898 + seed * 78.233);

function curve(epochs: number, end: number, start: number, rate: number, rise: number, seed: number): number[] {
  return Array.from({ length: epochs }, (_, i) => {
    const late = Math.max(0, i - 8) * rise;
    return end + (start - end) * Math.exp(-rate * i) + late + 0.002 * noise(i, seed);
  });
}

/** One record a trial of these settings. */
export function recordedRuns(settings: RunSettings): RunRecord[] {
  return trialsOf(settings).map(({ name, configuration, seed, epochs }, trial) => {
    const elu = configuration.activation === 'elu';
    const own = seed + trial / 10;
    const trained = configuration.patience === undefined ? epochs : Math.min(epochs, 11);
    const valLoss = curve(trained, 0.032, 0.12, 0.45, elu ? 0.0012 : 0.0002, own);
    const best = valLoss.indexOf(Math.min(...valLoss));
    return {
      name,
      configuration: configuration.label,
      seed,
      history: {
        loss: curve(trained, 0.006, 0.35, 0.5, 0, own + 1),
        acc: curve(trained, 0.998, 0.9, 0.5, 0, own + 2),
        val_loss: valLoss,
        val_acc: curve(trained, 0.991, 0.965, 0.5, 0, own + 3).map((value) => Math.min(1, value)),
      },
      secondsPerEpoch: Array.from({ length: trained }, (_, i) => 12 + noise(i, own)),
      results: {
        test_loss: valLoss.at(-1)!,
        test_acc: 0.991 + 0.0006 * noise(trial, seed),
        best_epoch: best + 1,
        best_test_loss: valLoss[best]!,
        best_test_acc: 0.9915,
      },
      settings: { key: configuration.key },
    };
  });
}
