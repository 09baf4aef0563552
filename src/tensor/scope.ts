// tidy() scopes: who frees the tensors made inside. Without a scope, garbage collection does.
import type { Tensor } from './tensor.js';

const scopes: Tensor[][] = [];
/** Set by the tape: true while the tensor may be needed by a backward pass. */
let neededByTape: (tensor: Tensor) => boolean = () => false;

export function onTapeQuestion(answer: (tensor: Tensor) => boolean): void {
  neededByTape = answer;
}

/** Tells the innermost scope of a new tensor. */
export function track(tensor: Tensor): void {
  if (scopes.length > 0) scopes[scopes.length - 1]!.push(tensor);
}

export function openScope(): void {
  scopes.push([]);
}

/** Frees the scope's tensors, save those in `results`, kept ones and those a tape needs: they pass to the outer scope. */
export function closeScope(results: Iterable<Tensor>): void {
  const tensors = scopes.pop();
  if (tensors === undefined) return;
  const survivors = new Set(results);
  for (const tensor of tensors) {
    if (tensor.isDisposed || tensor.kept) continue;
    if (survivors.has(tensor) || neededByTape(tensor)) track(tensor);
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
