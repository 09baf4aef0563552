// The experiments. A row says enough to list it and to explain its options; its code and the library load when it runs.
import type { Experiment } from './experiment.js';

export const EXPERIMENTS: readonly Experiment[] = [];
