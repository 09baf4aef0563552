// The networks whose epochs the GPU bench times, on random data that lies on the device: document 003's, document 000's and
// document 002's. Only their times mean something.
import * as sn from '../../src/index.js';

const { layers } = sn;

export interface Task {
  readonly model: sn.Model;
  readonly x: sn.Tensor | sn.Tensor[];
  readonly y: sn.Tensor;
}

type Activation = 'relu' | 'selu';
const he = { kernelInitializer: 'heNormal' } as const;

function compiled<M extends sn.Model>(model: M): M {
  model.compile({ optimizer: sn.train.adam(), loss: 'sparseCategoricalCrossentropy' });
  return model;
}

const classes = (samples: number, count: number): sn.Tensor => sn.randomUniform([samples], 0, count, 'int32', 1);

/** Two convolutions with pooling and dropout, a hidden layer of 256 units. */
function mnist(samples: number, activation: Activation): Task {
  const model = sn.sequential({
    layers: [
      layers.rescaling({ scale: 1 / 255, inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 32, kernelSize: 3, activation, ...he }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation, ...he }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.flatten(),
      layers.dense({ units: 256, activation, ...he }),
      layers.dense({ units: 10, activation: 'softmax', ...he }),
    ],
  });
  // As MNIST lies on the device: bytes.
  const x = sn.tidy(() => sn.randomUniform([samples, 28, 28, 1], 0, 256, 'int32').cast('uint8'));
  return { model: compiled(model), x, y: classes(samples, 10) };
}

/** Two sentences through a frozen embedding and a shared dense layer, summed up, and three hidden layers. */
function snli(samples: number, activation: Activation): Task {
  const [words, length, width] = [20_000, 42, 300];
  const embedding = layers.embedding({ inputDim: words, outputDim: width, trainable: false });
  const translate = layers.timeDistributed({ layer: layers.dense({ units: width, activation }) });
  const total = layers.lambda({ fn: (x: sn.Tensor) => x.sum(1), outputShape: [width] });
  const norm = layers.batchNormalization();
  const inputs = [sn.input({ shape: [length], dtype: 'int32' }), sn.input({ shape: [length], dtype: 'int32' })];
  const sides = inputs.map((side) => {
    const vectors = embedding.apply(side);
    return norm.apply(total.apply(translate.apply(vectors)));
  });
  let hidden = layers.concatenate().apply(sides);
  hidden = layers.dropout({ rate: 0.2 }).apply(hidden);
  for (let i = 0; i < 3; i++) {
    hidden = layers.dense({ units: 600, activation }).apply(hidden);
    hidden = layers.dropout({ rate: 0.2 }).apply(hidden);
    hidden = layers.batchNormalization().apply(hidden);
  }
  const outputs = layers.dense({ units: 3, activation: 'softmax' }).apply(hidden);
  const sentence = (seed: number): sn.Tensor => sn.randomUniform([samples, length], 0, words, 'int32', seed);
  const model = compiled(sn.model({ inputs, outputs }));
  return { model, x: [sentence(2), sentence(3)], y: classes(samples, 3) };
}

/** Twelve convolutions and three hidden layers on 32 x 32 grey images, 100 classes. */
function deep(samples: number, activation: Activation): Task {
  const model = sn.sequential();
  const lecun = { kernelInitializer: 'leCunNormal' } as const;
  for (let i = 0; i < 12; i++) {
    const shape = i === 0 ? { inputShape: [32, 32, 1] } : {};
    const strides = i % 4 === 3 ? 2 : 1;
    model.add(layers.conv2d({ ...shape, filters: 64, kernelSize: 3, padding: 'same', strides, activation, ...lecun }));
  }
  model.add(layers.flatten());
  for (let i = 0; i < 3; i++) model.add(layers.dense({ units: 256, activation, ...lecun }));
  model.add(layers.dense({ units: 100, activation: 'softmax', ...lecun }));
  return { model: compiled(model), x: sn.randomUniform([samples, 32, 32, 1], 0, 1), y: classes(samples, 100) };
}

export const NETWORKS: Readonly<Record<string, (samples: number, activation: Activation) => Task>> = {
  mnist,
  snli,
  deep,
};
