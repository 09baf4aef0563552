// The command that makes a report again, from the settings of its run.
import type { RunSettings } from './experiment.js';

/** `npx selfnorm run mnist-elu --quick --device cpu`. */
export function commandOf({ experiment, size, seed, device, epochs, steps, seeds, limit }: RunSettings): string {
  const given = Object.entries({ epochs, steps, seeds, limit }).filter(([, value]) => value !== undefined);
  return [
    'npx selfnorm run',
    experiment,
    ...(size === 'default' ? [] : [`--${size}`]),
    ...(seed === 1 ? [] : [`--seed ${seed}`]),
    ...given.map(([name, value]) => `--${name} ${value}`),
    `--device ${device}`,
  ].join(' ');
}
