// Safetensors: a length, a header in JSON, the values.
import { readSafetensors } from '../src/index.js';
import { AWKWARD_NUMBERS, AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged } from './damage.js';
import type { Target } from './target.js';

const BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  I32: 4,
  BF16: 2,
  F16: 2,
  U8: 1,
  BOOL: 1,
  I64: 8,
  I8: 1,
};
const NAMES = ['a', 'b', 'dense/kernel', 'dense/bias', '__metadata__', ...AWKWARD_TEXTS] as const;

function build(choices: Choices): Uint8Array[] {
  let end = 0;
  const parts = choices.list(4, () => {
    const dtype = choices.rarely(12) ? choices.pick(AWKWARD_TEXTS) : choices.pick(Object.keys(BYTES));
    const shape: number[] = choices.list(4, () => choices.pick([0, 1, 2, 3, 5]));
    if (choices.rarely(12)) shape.push(choices.pick(AWKWARD_NUMBERS));
    const begin = end;
    const size = shape.reduce((product, side) => product * side, BYTES[dtype] ?? 4);
    end += size >= 0 && size < 4096 ? size : 0;
    const offsets: unknown[] = [begin, end];
    if (choices.rarely(12)) offsets[choices.below(3)] = choices.pick([...AWKWARD_NUMBERS, null, '0']);
    return `${JSON.stringify(choices.pick(NAMES))}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`;
  });
  if (choices.rarely(4)) parts.unshift(`"__metadata__":${JSON.stringify({ [choices.pick(AWKWARD_TEXTS)]: 'x' })}`);
  const header = Buffer.from(`{${parts.join(',')}}${' '.repeat(choices.below(8))}`);
  const file = Buffer.alloc(8 + header.length + end);
  file.writeBigUInt64LE(BigInt(header.length));
  header.copy(file, 8);
  file.set(choices.filled(end), 8 + header.length);
  if (choices.rarely(16)) file.writeBigUInt64LE(choices.pick([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 100_000_001n]));
  return [damaged(file, choices)];
}

export const safetensors: Target = {
  files: ['file.safetensors'],
  build,
  read([path]) {
    for (const tensor of readSafetensors(path!).tensors.values()) tensor.dispose();
  },
};
