// NumPy's archives: a zip with a file for each array, whose header is written in Python's words.
import { loadNpz } from '../src/index.js';
import { AWKWARD_NUMBERS, AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged } from './damage.js';
import type { Target } from './target.js';
import { zipped } from './zip.js';

const TYPES = [
  '<f4',
  '<f8',
  '<f2',
  '<i4',
  '|u1',
  '|b1',
  '>f4',
  '>i2',
  '<i8',
  '<u4',
  '|i1',
  '<c8',
  '|O',
  '<U3',
] as const;
const WORDS = ['True', 'False', 'true', '1', 'None'] as const;

function array(choices: Choices): Uint8Array {
  const type = choices.rarely(12) ? choices.pick(AWKWARD_TEXTS) : choices.pick(TYPES);
  const shape: number[] = choices.list(4, () => choices.pick([0, 1, 2, 3, 5]));
  const size = shape.reduce((product, side) => product * side, Number(/\d/.exec(type)?.[0] ?? 1));
  if (choices.rarely(12)) shape.push(choices.pick(AWKWARD_NUMBERS));
  const order = choices.rarely(10) ? choices.pick(WORDS) : choices.pick(['True', 'False']);
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const parts = [`'descr': '${type}'`, `'fortran_order': ${order}`, `'shape': ${sizes}`];
  if (choices.rarely(12)) parts.splice(choices.below(3), 1);
  const text = `{${parts.join(', ')}, }${' '.repeat(choices.below(8))}\n`;
  const version = choices.rarely(8) ? choices.below(5) : 1;
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(choices.rarely(20) ? choices.below(65536) : text.length);
  else length.writeUInt32LE(choices.rarely(20) ? 2 ** 32 - 1 : text.length);
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  return Buffer.concat([head, length, Buffer.from(text, 'latin1'), choices.filled(size)]);
}

export const npz: Target = {
  files: ['arrays.npz'],
  build(choices) {
    const files = choices.list(3, (index) => {
      const name = choices.rarely(8) ? choices.pick(AWKWARD_TEXTS) : `array${choices.rarely(8) ? 0 : index}`;
      return [`${name}.npy`, damaged(array(choices), choices)] as const;
    });
    return [damaged(zipped(files, choices), choices)];
  },
  async read([path], choices) {
    const names = choices.rarely(6) ? { names: ['array0', choices.pick(AWKWARD_TEXTS)] } : {};
    for (const tensor of (await loadNpz(path!, names)).values()) tensor.dispose();
  },
};
