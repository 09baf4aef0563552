// The native activation table, read once from the CPU addon: it is the same in every backend.
import { failure } from '../errors.js';
import type { ActivationFacts } from '../native/addon.js';
import { loadAddon } from '../native/load.js';

let table: Map<string, ActivationFacts> | undefined;

/** All rows by name. */
export function activationTable(): ReadonlyMap<string, ActivationFacts> {
  table ??= new Map(
    loadAddon('cpu')
      .activations()
      .map((row) => [row.name, row]),
  );
  return table;
}

/** One row; an unknown name is an error that lists the known ones. */
export function facts(name: string): ActivationFacts {
  const row = activationTable().get(name);
  if (row === undefined) {
    throw failure(
      'ERR_ARGUMENT',
      name,
      `not in the native activation table: ${[...activationTable().keys()].join(', ')}`,
    );
  }
  return row;
}
