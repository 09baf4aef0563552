// The learning rate as callbacks read and set it: a number in the optimizer's device memory, so that a recorded step goes on with
// the new one.
import { invalid } from '../errors.js';
import type { Model } from '../models/model.js';

/** The log of the rate that an epoch was trained with; Keras's name. */
export const RATE_LOG = 'learning_rate';

/**
 * Refuses an optimizer whose rate follows a schedule: two would set it.
 * @throws ArgumentError
 */
export function requireSettableRate(op: string, { optimizer }: Model): void {
  const { schedule } = optimizer;
  if (schedule === null) return;
  const fix = 'give the optimizer a number, or leave the callback out';
  throw invalid('ERR_ARGUMENT', op, 'model', 'an optimizer with a number as learningRate', schedule, fix);
}
