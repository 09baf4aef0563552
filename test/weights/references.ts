// Keras's values for initializers, regularizers and constraints: test/fixtures/weights, by its make_weights.py.
import { readFileSync } from 'node:fs';
import type { StoredTensor } from '../harness/fixtures.js';

export interface WeightReferences {
  fans: { shape: number[]; fans: [number, number] }[];
  initializers: { name: string; scale: number; mode: string; distribution: string }[];
  regularizers: {
    op: 'l1' | 'l2' | 'l1l2';
    args: Record<string, number>;
    weight: StoredTensor;
    penalty: number;
    gradient: StoredTensor;
  }[];
  constraints: { op: string; args: Record<string, unknown>; weight: StoredTensor; result: StoredTensor }[];
}

export const references = JSON.parse(
  readFileSync(new URL('../fixtures/weights/weights.json', import.meta.url), 'utf8'),
) as WeightReferences;
