// Between the names in our configurations (camelCase) and those in Keras's and tfjs's files (snake_case). Keys are all
// renamed; of strings only those that are one of a list of words, so that names, paths and texts come back as they were.
import { snakeCase } from '../layers/naming.js';

/** Keys whose strings name something, in our spelling. */
const WORDS = new Set([
  'activation',
  'recurrentActivation',
  'dataFormat',
  'distribution',
  'mode',
  'padding',
  'interpolation',
  'mergeMode',
  'kernelInitializer',
  'biasInitializer',
]);

const camelCase = (name: string): string =>
  name.replace(/(?!^)_+(\w)/g, (_all: string, letter: string) => letter.toUpperCase());

function convert(value: unknown, rename: (name: string) => string, key: string): unknown {
  if (typeof value === 'string') return WORDS.has(key) ? rename(value) : value;
  if (Array.isArray(value)) return value.map((item) => convert(item, rename, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [rename(name), convert(item, rename, camelCase(name))]),
  );
}

/** A configuration as files have it. */
export const toPythonic = (config: unknown): unknown => convert(config, snakeCase, '');
/** A configuration from a file. */
export const fromPythonic = (config: unknown): unknown => convert(config, camelCase, '');
