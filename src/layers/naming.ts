// Names of layers that were given none: those tfjs gives, `dense_Dense1`, so that its saved weights are found by name.

const counters = new Map<string, number>();

/** `BatchNormalization` -> `batch_normalization`. */
export function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** `prefix1`, `prefix2`, ...: each once in a process. */
export function uniqueName(prefix: string): string {
  const count = (counters.get(prefix) ?? 0) + 1;
  counters.set(prefix, count);
  return `${prefix}${count}`;
}

/** The name of an unnamed layer of that class. */
export const layerName = (className: string): string => `${snakeCase(className)}_${uniqueName(className)}`;
