// `selfnorm doctor --kernels`: which engine computes what. Choices are made by measuring, in the process that needs them, so this
// runs typical products on the device and tells what was found.
import type { KernelChoice } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import { matMul } from '../ops/fused.js';
import { zeros } from '../ops/creation.js';
import { setFloat32Precision, withDevice } from '../tensor/device.js';
import type { DType } from '../tensor/dtype.js';

/** Products of dense layers: a batch of rows, inputs and units, with bias and SELU. */
const SHAPES: readonly (readonly [rows: number, inputs: number, units: number])[] = [
  [250, 784, 512],
  [512, 600, 600],
  [1024, 1024, 1024],
  [4096, 1024, 1024],
  [4096, 4096, 4096],
];
const TYPES: readonly DType[] = ['float32', 'bfloat16', 'float16'];

/** Runs the products on the CUDA device and returns every choice that this made. */
export function measureKernels(): KernelChoice[] {
  withDevice('cuda', () => {
    setFloat32Precision('high');
    for (const dtype of TYPES) {
      for (const [rows, inputs, units] of SHAPES) {
        const [a, b] = [zeros([rows, inputs], dtype), zeros([inputs, units], dtype)];
        matMul({ a, b, bias: zeros([units], dtype), activation: 'selu' }).dispose();
      }
    }
  });
  return loadAddon('cuda').kernelChoices();
}

const time = (milliseconds: number): string =>
  milliseconds < 0 ? 'not measured' : Number.isFinite(milliseconds) ? `${milliseconds.toPrecision(3)} ms` : 'failed';

/** A line a class of problems: what was chosen, then what lost. */
export function renderKernels(choices: readonly KernelChoice[]): string {
  if (choices.length === 0)
    return 'Kernels\n  oneDNN where it has the operation, else our own; nothing is measured on the CPU';
  const lines = choices.flatMap(({ op, problem, engines }) => [
    `  ${op} ${problem}`,
    ...engines.map(
      ({ name, milliseconds }, rank) => `    ${rank === 0 ? 'chosen' : '      '}  ${name}: ${time(milliseconds)}`,
    ),
  ]);
  return ['Kernels', ...lines].join('\n');
}
