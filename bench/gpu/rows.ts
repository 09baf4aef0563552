// What the GPU bench measures, as data: both sides, bench/gpu/selfnorm.ts and bench/gpu/torch_gpu.py, read it as JSON. `bytes` are
// the fewest that the row's work can move, each operand once; `flops` are those of its products.

export type Type = 'float32' | 'bfloat16' | 'float16';

/** One row. Its kind says which of the other fields there are. */
export interface Row {
  readonly id: string;
  readonly kind: string;
  readonly group: 'memory' | 'product' | 'dispatch' | 'epoch';
  readonly dtype: Type;
  readonly bytes: number;
  readonly flops: number;
  /** Whether PyTorch's compiler is asked too, which takes it many seconds. */
  readonly compile: boolean;
  readonly [field: string]: unknown;
}

const WIDTH: Readonly<Record<Type, number>> = { float32: 4, bfloat16: 2, float16: 2 };

const ACTIVATIONS = ['relu', 'leakyRelu', 'elu', 'selu', 'celu', 'softplus', 'sigmoid', 'tanh', 'gelu', 'silu', 'mish'];
/** Bytes that each optimizer reads and writes a float32 parameter. */
const OPTIMIZERS = { sgd: 12, momentum: 20, adam: 28, adadelta: 28, rmsprop: 20 } as const;

/** What a full run and a short one, for trying the bench, differ in. */
interface Scale {
  /** Elements of the memory-bound rows: 256 MiB in float32, four times a large second-level cache. */
  readonly elements: number;
  readonly squares: readonly number[];
  readonly samples: number;
}
export const FULL: Scale = { elements: 2 ** 26, squares: [1024, 2048, 4096, 8192], samples: 48_000 };
export const SHORT: Scale = { elements: 2 ** 16, squares: [64], samples: 512 };

type Given = Partial<Row> & { readonly kind: string };

export function rows({ elements: n, squares, samples }: Scale): Row[] {
  const all: Row[] = [];
  const add = (group: Row['group'], id: string, dtype: Type, given: Given): void => {
    all.push({ bytes: 0, flops: 0, compile: false, ...given, id: `${id}/${dtype}`, group, dtype });
  };
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const element = WIDTH[dtype];
    const memory = (id: string, kind: string, operands: number, fields: Partial<Row> = {}): void => {
      add('memory', id, dtype, { kind, n, bytes: operands * element * n, ...fields });
    };
    memory('copy', 'copy', 2);
    for (const op of ACTIVATIONS) {
      memory(`${op}/forward`, 'forward', 2, { op });
      memory(`${op}/backward`, 'backward', 3, { op });
    }
    // Forward reads x and writes y; backward reads dy and, of SELU, y.
    memory('dropout', 'dropout', 4, { rate: 0.1 });
    memory('alphaDropout', 'alphaDropout', 4, { rate: 0.1, compile: true });
    memory('selu+alphaDropout', 'seluAlphaDropout', 5, { rate: 0.1, compile: true });
    const classes = 1024;
    memory('softmaxCrossEntropy', 'softmaxCrossEntropy', 3, { rowCount: n / classes, classes, compile: true });
    const channels = 256;
    memory('batchNorm', 'batchNorm', 8, { rowCount: n / channels, channels });
  }
  for (const [name, bytes] of Object.entries(OPTIMIZERS)) {
    add('memory', `optimizer/${name}`, 'float32', { kind: 'optimizer', op: name, n, bytes: bytes * n });
  }
  // The experiments' own products beside square ones: batch, inputs, units.
  const shapes = [
    ...squares.map((size) => [size, size, size] as const),
    [250, 1600, 256] as const,
    [512, 300, 300] as const,
    [512, 600, 600] as const,
    [512, 600, 3] as const,
  ];
  for (const dtype of ['float32', 'bfloat16', 'float16'] as const) {
    const element = WIDTH[dtype];
    for (const [m, k, units] of shapes) {
      const id = `${m}x${k}x${units}`;
      const flops = 2 * m * k * units;
      const bytes = element * (m * k + k * units + m * units);
      const shape = { m, k, units };
      add('product', `matmul/${id}`, dtype, { kind: 'matmul', flops, bytes, ...shape });
      add('product', `matmul+bias+selu/${id}`, dtype, {
        kind: 'fusedMatmul',
        flops,
        bytes,
        ...shape,
        compile: m === 4096,
      });
      add('product', `dense/${id}`, dtype, { kind: 'dense', flops: 3 * flops, bytes: 3 * bytes, ...shape });
    }
    for (const conv of [
      { batch: 250, size: 28, inputs: 1, outputs: 32 },
      { batch: 250, size: 13, inputs: 32, outputs: 64 },
      { batch: 128, size: 32, inputs: 64, outputs: 64 },
      { batch: 128, size: 32, inputs: 64, outputs: 64, groups: 4 },
      { batch: 128, size: 32, inputs: 64, outputs: 64, groups: 64 },
    ]) {
      const { batch, size, inputs, outputs, groups = 1 } = conv;
      const out = size - 2;
      const flops = 2 * batch * out * out * 9 * (inputs / groups) * outputs;
      const bytes =
        element * (batch * size * size * inputs + (9 * inputs * outputs) / groups + batch * out * out * outputs);
      const id = `${batch}x${size}x${size}x${inputs}-${outputs}${groups > 1 ? `/${groups} groups` : ''}`;
      add('product', `conv/${id}`, dtype, { kind: 'conv', flops, bytes, ...conv });
      add('product', `conv+bias+elu/${id}`, dtype, { kind: 'fusedConv', flops, bytes, ...conv });
      add('product', `conv+bias+elu/${id}/both`, dtype, {
        kind: 'convBoth',
        flops: 3 * flops,
        bytes: 3 * bytes,
        ...conv,
      });
    }
  }
  add('dispatch', 'add/16', 'float32', { kind: 'dispatch' });
  const epochs = [
    ['mnist', { samples, batch: 250 }],
    ['snli', { samples, batch: 512 }],
    ['deep', { samples: samples / 8, batch: 100 }],
  ] as const;
  for (const [network, sizes] of epochs) {
    for (const activation of ['relu', 'selu']) {
      const id = `epoch/${network}/${activation}`;
      add('epoch', id, 'float32', { kind: 'epoch', network, activation, ...sizes, compile: activation === 'selu' });
    }
  }
  return all;
}
