// Which class a classifier answers for images of which class.
import type { Feed } from '../models/feed.js';
import type { Model } from '../models/model.js';
import { argMax } from '../ops/reductions.js';
import { clone } from '../ops/reshape.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';

const BATCH = 250;

/**
 * Counts of a classifier's answers, row by row: `counts[truth * classes + answer]`.
 * @param labels int32 `[count]`, or one-hot `[count, classes]`.
 */
export async function confusionOf(model: Model, x: Feed, labels: Tensor, classes: number): Promise<number[]> {
  const answers = tidy(() => argMax(model.predict(x, { batchSize: BATCH }) as Tensor, -1));
  const truths = tidy(() => (labels.rank === 1 ? clone(labels) : argMax(labels, -1)));
  const [answered, right] = await Promise.all([answers.data(), truths.data()]);
  answers.dispose();
  truths.dispose();
  const counts = new Array<number>(classes * classes).fill(0);
  right.forEach((truth, i) => counts[truth * classes + answered[i]!]!++);
  return counts;
}
