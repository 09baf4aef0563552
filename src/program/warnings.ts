// What is said, once for each thing said, of steps that cannot be recorded.
import { emitWarning } from 'node:process';

const said = new Set<string>();

/** Warns that a step runs eagerly, and why. */
export function warnEager(what: string, reason: string): void {
  const text = `${what}: runs eagerly, since it cannot be recorded: ${reason}`;
  if (said.has(text)) return;
  said.add(text);
  emitWarning(text, { type: 'SelfnormWarning', code: 'SELFNORM_EAGER' });
}
