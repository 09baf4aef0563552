// What dtype layers keep their weights in and what dtype they compute in. Under mixed precision the two differ: weights stay
// float32, so that small steps are not rounded away, and are cast where they are used.
import { invalid } from '../errors.js';
import { DTYPES, isDType, type DType } from '../tensor/dtype.js';

/** Keras's names of the policies that compute in another dtype than they keep weights in. */
export type MixedPolicy = 'mixed_bfloat16' | 'mixed_float16';
/** A layer's option `dtype`: of its weights and its maths alike, or a mixed policy. */
export type LayerDType = DType | MixedPolicy;

/** How a layer keeps and computes. */
export interface DTypePolicy {
  /** What `getConfig` says: JSON that `policyOf` takes back. */
  readonly name: LayerDType;
  /** Dtype of the weights. */
  readonly variable: DType;
  /** Dtype that float inputs and weights are cast to. */
  readonly compute: DType;
  readonly isMixed: boolean;
}

const pure = (name: DType): DTypePolicy => ({ name, variable: name, compute: name, isMixed: false });
const MIXED: Readonly<Record<MixedPolicy, DTypePolicy>> = {
  mixed_bfloat16: { name: 'mixed_bfloat16', variable: 'float32', compute: 'bfloat16', isMixed: true },
  mixed_float16: { name: 'mixed_float16', variable: 'float32', compute: 'float16', isMixed: true },
};
const GLOBAL: Readonly<Record<string, DTypePolicy>> = {
  float32: pure('float32'),
  bfloat16: MIXED.mixed_bfloat16,
  float16: MIXED.mixed_float16,
  ...MIXED,
};

let current = GLOBAL['float32']!;

/**
 * Sets what layers made from now on compute in, where their own `dtype` says nothing else.
 *
 * Under `'bfloat16'` and `'float16'` layers keep float32 weights and compute in the 16-bit dtype: float inputs and weights are
 * cast where they are used, so that gradients of weights, the optimizer's state and files are float32. Matrix products, sums,
 * moments of normalisations and losses accumulate in float32, and softmax, as of a classifier's last layer, takes and gives
 * float32. Give another last layer `dtype: 'float32'` if its values need more than 16 bits: `dense({units: 1, activation:
 * 'sigmoid', dtype: 'float32'})`. `'bfloat16'` has float32's range and 8 bits of precision; `'float16'` has 11 bits and little
 * range, so that `compile` scales the loss (see `Optimizer.lossScale`).
 *
 * Only CUDA devices gain speed by it; the CPU gives the same results more slowly than in float32.
 * @param policy `'float32'` (where a process begins), `'bfloat16'` or `'float16'`; Keras's `'mixed_bfloat16'` and
 *   `'mixed_float16'` mean the same. Left out, nothing changes.
 * @returns The policy in force, as a layer's `dtype`: `'float32'`, `'mixed_bfloat16'` or `'mixed_float16'`.
 * @throws ArgumentError for another name.
 * @example sn.mixedPrecision('bfloat16');
 * const model = sn.sequential({layers: [sn.layers.dense({units: 256, activation: 'selu', inputShape: [784]})]});
 */
export function mixedPrecision(policy?: 'float32' | 'bfloat16' | 'float16' | MixedPolicy): 'float32' | MixedPolicy {
  if (policy !== undefined) {
    if (typeof policy !== 'string' || !Object.hasOwn(GLOBAL, policy)) {
      const expected = Object.keys(GLOBAL)
        .map((name) => `'${name}'`)
        .join(', ');
      throw invalid('ERR_ARGUMENT', 'mixedPrecision', 'policy', `one of ${expected}`, policy);
    }
    current = GLOBAL[policy]!;
  }
  return current.name as 'float32' | MixedPolicy;
}

/**
 * The policy that a layer's option `dtype` means; without one the global policy.
 * @throws DTypeError for another value.
 */
export function policyOf(layer: string, dtype: unknown): DTypePolicy {
  if (dtype === undefined || dtype === null) return current;
  if (isDType(dtype)) return pure(dtype);
  if (typeof dtype === 'string' && Object.hasOwn(MIXED, dtype)) return MIXED[dtype as MixedPolicy];
  // Keras's files: {class_name: 'DTypePolicy', config: {name: 'mixed_float16'}}.
  const name: unknown =
    typeof dtype === 'object' && 'config' in dtype ? (dtype.config as { name?: unknown } | null)?.name : undefined;
  if (typeof name === 'string') return policyOf(layer, name);
  const expected = `one of ${[...DTYPES, ...Object.keys(MIXED)].join(', ')}`;
  throw invalid('ERR_DTYPE', layer, 'dtype', expected, dtype);
}
