// The command line of the benches that train networks in turns, in one process.
import { parseArgs } from 'node:util';

/** How much is trained, and whether the figures are written: `--epochs N --images N --no-write`. */
export function trainingOptions(): { epochs: number; images: number; writes: boolean } {
  const { values } = parseArgs({
    options: {
      epochs: { type: 'string', default: '7' },
      images: { type: 'string', default: '10000' },
      'no-write': { type: 'boolean', default: false },
    },
  });
  return { epochs: Number(values.epochs), images: Number(values.images), writes: !values['no-write'] };
}
