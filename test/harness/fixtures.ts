// Reads the stored references (test/fixtures) and calls the op a case is about. The rules are those of its README.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as sn from '../../src/index.js';
import type { Tensor, TensorLike } from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';

type StoredNumber = number | 'NaN' | 'Infinity' | '-Infinity';
export interface StoredTensor {
  shape: number[];
  dtype: DType;
  data: StoredNumber[];
}
export interface FixtureCase {
  op: string;
  name: string;
  inputs: (StoredTensor | null)[];
  args: Record<string, unknown>;
  outputs: StoredTensor[];
  dy?: (StoredTensor | null)[];
  gradients?: (StoredTensor | null)[];
  secondSeed?: (StoredTensor | null)[];
  second?: (StoredTensor | null)[];
}

const FOLDER = fileURLToPath(new URL('../fixtures/', import.meta.url));

export const fixtureFamilies = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -5));

export const readFixtures = <Case = FixtureCase>(family: string): Case[] =>
  (JSON.parse(readFileSync(`${FOLDER}${family}.json`, 'utf8')) as { cases: Case[] }).cases;

export const numbers = (stored: StoredTensor): Float64Array => Float64Array.from(stored.data, Number);

/** A stored tensor on the device; its floats in the dtype under test. */
export function load(stored: StoredTensor, float: DType): Tensor {
  const dtype = stored.dtype.startsWith('float') ? float : stored.dtype;
  return sn.tensor(numbers(stored), stored.shape, dtype);
}

function special(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(special);
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
}

type Function = (...args: unknown[]) => unknown;

/** The public function of a dotted name, as `losses.huberLoss`. */
export function lookUp(op: string): Function | undefined {
  let found: unknown = sn;
  for (const part of op.split('.')) found = (found as Record<string, unknown> | undefined)?.[part];
  return typeof found === 'function' ? (found as Function) : undefined;
}

/** Calls the op of a case with the given inputs; the results as a list. */
export function callOp(fixture: FixtureCase, inputs: readonly (TensorLike | null)[]): Tensor[] {
  const { op } = fixture;
  const fn = lookUp(op);
  if (fn === undefined) throw new Error(`${op}: no such public function`);
  const args = Object.fromEntries(Object.entries(fixture.args).map(([key, value]) => [key, special(value)]));
  const rest = Object.values(args);
  const given = inputs.map((input) => input ?? undefined);
  let result: unknown;
  if (op === 'concat' || op === 'stack') result = fn(given, ...rest);
  else if (op === 'fused.matMul') {
    const [a, b, bias, preluActivationWeights] = given;
    result = fn({ a, b, bias, preluActivationWeights, ...args });
  } else if (op === 'fused.conv2d') {
    const [x, filter, bias] = given;
    result = fn({ x, filter, bias, ...args });
  } else if (op === 'losses.cosineDistance') {
    const [labels, predictions, weights] = given;
    const { axis, ...others } = args;
    result = fn(labels, predictions, axis, weights, ...Object.values(others));
  } else if (op === 'layerNorm') {
    const [x, scale, offset] = given;
    result = fn(x, args['axis'], args['epsilon'], scale, offset);
  } else result = fn(...given, ...rest);
  if (op === 'moments') return Object.values(result as { mean: Tensor; variance: Tensor });
  if (op === 'topk') {
    const { values, indices } = result as { values: Tensor; indices: Tensor };
    return [values, indices];
  }
  return Array.isArray(result) ? (result as Tensor[]) : [result as Tensor];
}
