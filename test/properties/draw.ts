// What a property draws: shapes with sizes 0, 1 and odd ones, axes counted from either end, values of every dtype. Values are eighths, which
// all float dtypes have exactly, so that reference and op begin from the same numbers.
import type fc from 'fast-check';
import fastCheck from 'fast-check';
import * as sn from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import type { ToleranceClass } from '../tolerance.js';
import { broadcast, sizeOf, type Host } from './host.js';

export const FLOATS = ['float32', 'float64', 'float16', 'bfloat16'] as const;
export const ALL: readonly DType[] = [...FLOATS, 'int32', 'uint8', 'bool'];
export const isFloat = (dtype: DType): boolean => (FLOATS as readonly DType[]).includes(dtype);

/** An operand. */
export interface Operand extends Host {
  readonly dtype: DType;
}

/** One call of an op, and what it is to give. */
export interface Example {
  readonly inputs: readonly Operand[];
  readonly call: (...inputs: sn.Tensor[]) => sn.Tensor | readonly sn.Tensor[];
  readonly expected: Host | readonly Host[];
  /** Of each result. */
  readonly dtypes: DType | readonly DType[];
  readonly kind: ToleranceClass;
}

/** What values an op takes. */
export type Range = 'any' | 'positive' | 'nonzero' | 'small';

const RANGES: Readonly<Record<Range, readonly [number, number]>> = {
  any: [-24, 24],
  positive: [1, 24],
  nonzero: [1, 24],
  small: [-8, 8],
};

export class Draw {
  constructor(private readonly draw: fc.GeneratorValue) {}

  int(least: number, most: number): number {
    return this.draw(fastCheck.integer, { min: least, max: most });
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  get bool(): boolean {
    return this.int(0, 1) === 1;
  }

  /** A size; empty ones are rare, so that most tensors have values. */
  size(least = 0): number {
    const size = this.pick([1, 2, 3, 3, 4, 5, 7, 0, 1, 2, 3, 5]);
    return Math.max(least, size);
  }

  shape(leastRank = 0, mostRank = 4, leastSize = 0): number[] {
    return Array.from({ length: this.int(leastRank, mostRank) }, () => this.size(leastSize));
  }

  /** A shape that broadcasts to the given one: axes missing in front, or of size 1. */
  narrower(shape: readonly number[]): number[] {
    return shape.slice(this.int(0, shape.length)).map((size) => (this.bool ? size : 1));
  }

  /** Two shapes that broadcast. */
  shapes(): [number[], number[]] {
    const full = this.shape();
    const [a, b] = [this.narrower(full), this.narrower(full)];
    // At most one of two sizes that differ may be anything but 1, so they broadcast.
    broadcast(a, b);
    return [a, b];
  }

  dtype(among: readonly DType[] = ALL): DType {
    return this.pick(among);
  }

  /** An axis as callers may write it: negative, it counts from the end. */
  axis(rank: number): { given: number; axis: number } {
    const axis = this.int(0, rank - 1);
    return { given: this.bool ? axis : axis - rank, axis };
  }

  /** Axes as callers may write them, all for undefined or null. */
  axes(rank: number): { given: number | number[] | null | undefined; axes: number[] } {
    const all = Array.from({ length: rank }, (_, axis) => axis);
    const kind = this.int(0, 3);
    if (kind === 0 || rank === 0) return { given: this.bool ? null : undefined, axes: all };
    if (kind === 1) {
      const { given, axis } = this.axis(rank);
      return { given, axes: [axis] };
    }
    const axes = all.filter(() => this.bool);
    return { given: axes.map((axis) => (this.bool ? axis : axis - rank)), axes };
  }

  value(dtype: DType, range: Range = 'any'): number {
    if (dtype === 'bool') return this.int(range === 'any' || range === 'small' ? 0 : 1, 1);
    const [least, most] = RANGES[range];
    const sign = range === 'nonzero' && dtype !== 'uint8' && this.bool ? -1 : 1;
    if (isFloat(dtype)) return (sign * this.int(least, most)) / 8;
    return sign * this.int(dtype === 'uint8' ? Math.max(0, Math.ceil(least / 4)) : Math.ceil(least / 4), most / 4);
  }

  operand(shape: readonly number[], dtype: DType = this.dtype(), range: Range = 'any'): Operand {
    const data = new Float64Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = this.value(dtype, range);
    return { shape: [...shape], dtype, data };
  }
}

/** How an op's examples are drawn. */
export type Row = (draw: Draw) => Example;

/** An operand on the device. */
export const load = ({ data, shape, dtype }: Operand): sn.Tensor =>
  sn.tensor(Float64Array.from(data), [...shape], dtype);

const WIDTH: Readonly<Record<DType, number>> = {
  bool: 0,
  uint8: 1,
  int32: 2,
  float16: 3,
  bfloat16: 3,
  float32: 4,
  float64: 5,
};

/** The dtype two operands meet in. */
export function widest(a: DType, b: DType = a): DType {
  if (a === b) return a;
  if (WIDTH[a] === WIDTH[b]) return 'float32';
  return WIDTH[a] > WIDTH[b] ? a : b;
}

/** The dtype of sums and the like: small integers become int32. */
export const arithmetic = (a: DType, b: DType = a): DType =>
  widest(a, b) === 'bool' || widest(a, b) === 'uint8' ? 'int32' : widest(a, b);
/** The dtype of ops on floats. */
export const asFloat = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');
