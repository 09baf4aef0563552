// What ops leave for those behind them while a loss is worked out: softmax the logits it was applied to, a cross-entropy the ranks
// of the classes. So a model's softmax, loss and accuracies take one pass over the logits.
import { isRecording } from '../autograd/tape.js';
import { withoutScope } from '../tensor/scope.js';
import { makeView, type Tensor } from '../tensor/tensor.js';

interface Ranked {
  readonly labels: Tensor;
  readonly ranks: Tensor;
}

interface Notes {
  readonly logits: Map<Tensor, Tensor>;
  readonly views: Tensor[];
  /** By predictions; null where no metric asks. */
  readonly ranks: Map<Tensor, Ranked> | null;
  /** Whose cross-entropy is being computed. */
  asking: { readonly labels: Tensor; readonly predictions: Tensor } | null;
}
let notes: Notes | null = null;

/**
 * @internal Runs `body`, in which `logitsOf` knows what softmax was applied to: a cross-entropy takes the logits in place of
 * the probabilities, which is exact where these round to 0 or 1, and one pass.
 * @param ranked Cross-entropies leave the ranks of the classes, for metrics to find by `ranksOf`.
 */
export function noting<T>(ranked: boolean, body: () => T): T {
  const before = notes;
  const own: Notes = { logits: new Map(), views: [], ranks: ranked ? new Map() : null, asking: null };
  notes = own;
  try {
    return body();
  } finally {
    notes = before;
    for (const view of own.views) view.dispose();
  }
}

/** @internal What softmax made `y` of (along its last axis), inside `noting`. */
export const logitsOf = (y: Tensor): Tensor | undefined => notes?.logits.get(y);

/** @internal Notes that softmax made `y` of `x`. */
export function noteLogits(y: Tensor, x: Tensor): void {
  if (notes === null) return;
  // A tape frees nothing before its end and must meet the tensor it knows; elsewhere the logits die with their layer.
  if (isRecording()) notes.logits.set(y, x);
  else {
    const view = withoutScope(() => makeView(x, x.shape));
    notes.views.push(view);
    notes.logits.set(y, view);
  }
}

/** @internal Runs a cross-entropy of these labels and predictions, which leaves ranks if somebody wants them. */
export function askingRanks<T>(labels: Tensor, predictions: Tensor, body: () => T): T {
  if (notes?.ranks == null) return body();
  const own = notes;
  own.asking = { labels, predictions };
  try {
    return body();
  } finally {
    own.asking = null;
  }
}

/** @internal Whether the cross-entropy under way is to leave ranks. */
export const wantsRanks = (): boolean => notes?.asking != null;

/** @internal Leaves the ranks of the cross-entropy under way. */
export function noteRanks(ranks: Tensor): void {
  const { labels, predictions } = notes!.asking!;
  notes!.ranks!.set(predictions, { labels, ranks });
}

/** @internal The ranks that a cross-entropy of just these labels and predictions has left. */
export function ranksOf(labels: Tensor, predictions: Tensor): Tensor | undefined {
  const found = notes?.ranks?.get(predictions);
  return found?.labels === labels ? found.ranks : undefined;
}
