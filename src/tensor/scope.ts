// tidy() scopes: who frees the tensors made inside. Without a scope, garbage collection does.
import type { Tensor } from './tensor.js';

const scopes: Tensor[][] = [];
/** Set by the tape: true while a gradient is being recorded. */
let recording: () => boolean = () => false;

export function onTapeQuestion(answer: () => boolean): void {
  recording = answer;
}

/** Tells the innermost scope of a new tensor. */
export function track(tensor: Tensor): void {
  if (scopes.length > 0) scopes[scopes.length - 1]!.push(tensor);
}

/** Whether the innermost scope would free the tensor: it was made there, or passed up to it. */
export function madeInScope(tensor: Tensor): boolean {
  return scopes.at(-1)?.includes(tensor) === true;
}

/** What the innermost scope would free, were it closed now. */
export const tensorsInScope = (): ReadonlySet<Tensor> => new Set(scopes.at(-1));

export function openScope(): void {
  scopes.push([]);
}

/**
 * Frees the scope's tensors, save kept ones and those in `results`, which pass to the outer scope. While a gradient is
 * recorded all pass: backward functions may have captured any of them.
 */
export function closeScope(results: Iterable<Tensor>): void {
  const tensors = scopes.pop();
  if (tensors === undefined) return;
  const survivors = new Set(results);
  const all = recording();
  for (const tensor of tensors) {
    if (tensor.isDisposed || tensor.kept) continue;
    if (all || survivors.has(tensor)) track(tensor);
    else tensor.dispose();
  }
}

/** Runs `body` outside every scope: what it makes is nobody's to free. */
export function withoutScope<T>(body: () => T): T {
  const saved = scopes.splice(0, scopes.length);
  try {
    return body();
  } finally {
    scopes.splice(0, scopes.length, ...saved);
  }
}
