// Our side of the GPU bench: times each row eagerly and recorded, one JSON line each. A call's time is that of many calls,
// queued without waiting, by their number: what a training loop sees.
//   tsx bench/gpu/selfnorm.ts ROWS.json [--seconds N]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as sn from '../../src/index.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { batchNormTraining } from '../../src/ops/batch-norm-training.js';
import { StepProgram } from '../../src/program/step-program.js';
import { currentBackend } from '../../src/tensor/device.js';
import { NETWORKS } from './networks.js';
import type { Row } from './rows.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '0.3' } },
});
const SECONDS = Number(values.seconds);
const ROUNDS = 5;

type Call = () => sn.Tensor | readonly sn.Tensor[] | void;

const normal = (shape: number[], dtype: sn.DType): sn.Tensor => sn.randomNormal(shape).cast(dtype);

/** y and its gradients, of a function of tensors. */
function both(f: (...xs: sn.Tensor[]) => sn.Tensor, xs: sn.Tensor[], dy: sn.Tensor): Call {
  const gradients = sn.valueAndGrads(f);
  return () => {
    const { value, grads } = gradients(xs, dy);
    return [value, ...grads];
  };
}

function optimizerCall(name: string, n: number): Call {
  const weights = sn.variable(sn.zeros([n]));
  const gradient = sn.randomNormal([n]);
  const make = sn.train as unknown as Record<string, (rate: number, momentum?: number) => sn.Optimizer>;
  const optimizer = make[name]!(1e-3, ...(name === 'momentum' ? [0.9] : []));
  return () => {
    optimizer.apply(new Map([[weights, gradient]]));
  };
}

/** What a row times; null where there is no such thing. */
function prepare(row: Row): Call | null {
  const { kind, dtype } = row;
  const number = (field: string): number => row[field] as number;
  const rate = number('rate');
  if (kind === 'dispatch') {
    const [a, b] = [normal([16], dtype), normal([16], dtype)];
    return () => sn.add(a, b);
  }
  if (row.group === 'memory') {
    if (kind === 'optimizer') return optimizerCall(row['op'] as string, number('n'));
    if (kind === 'softmaxCrossEntropy') {
      const logits = normal([number('rowCount'), number('classes')], dtype);
      const labels = sn.randomUniform([number('rowCount')], 0, number('classes'), 'int32', 1);
      const loss = (z: sn.Tensor): sn.Tensor => sn.losses.sparseSoftmaxCrossEntropy(labels, z);
      return both(loss, [logits], sn.scalar(1));
    }
    if (kind === 'batchNorm') {
      const x = normal([number('rowCount'), number('channels')], dtype);
      const [gamma, beta] = [sn.ones([number('channels')]), sn.zeros([number('channels')])];
      return both(
        (...[given, scale, offset]) => batchNormTraining(given!, scale!, offset!).y,
        [x, gamma, beta],
        normal(x.shape as number[], dtype),
      );
    }
    const x = normal([number('n')], dtype);
    const dy = normal([number('n')], dtype);
    const activation = row['op'] === undefined ? null : activationNamed(row['op'] as ActivationName);
    const parameters = activation?.parameters({}) ?? [];
    const target = kind === 'copy' ? sn.variable(x) : null;
    switch (kind) {
      case 'copy':
        return () => void target!.assign(dy);
      case 'forward':
        return () => activation!.apply(x, parameters);
      case 'backward': {
        const saved = activation!.facts.saves === 'output' ? activation!.apply(x, parameters) : x;
        return () => activation!.applyBackward(dy, saved, parameters);
      }
      case 'dropout':
        return both((given) => sn.dropout(given, rate), [x], dy);
      case 'alphaDropout':
        return both((given) => sn.alphaDropout(given, rate), [x], dy);
      case 'seluAlphaDropout':
        return both((given) => sn.seluAlphaDropout(given, rate), [x], dy);
      default:
        return null;
    }
  }
  if (kind.toLowerCase().includes('conv')) {
    const [batch, size, inputs, outputs] = ['batch', 'size', 'inputs', 'outputs'].map(number) as [
      number,
      number,
      number,
      number,
    ];
    const x = normal([batch, size, size, inputs], dtype);
    const groups = row['groups'] === undefined ? 1 : number('groups');
    const filter = normal([3, 3, inputs / groups, outputs], dtype);
    const bias = normal([outputs], dtype);
    if (kind === 'conv') return () => sn.conv2d(x, filter, 1, 'valid', 'NHWC', 1, undefined, groups);
    const fused = (...[given, w, b]: sn.Tensor[]): sn.Tensor =>
      sn.fused.conv2d({ x: given!, filter: w!, bias: b!, strides: 1, pad: 'valid', groups, activation: 'elu' });
    if (kind === 'fusedConv') return () => fused(x, filter, bias);
    return both(fused, [x, filter, bias], normal([batch, size - 2, size - 2, outputs], dtype));
  }
  const [m, k, units] = ['m', 'k', 'units'].map(number) as [number, number, number];
  const [a, b, bias] = [normal([m, k], dtype), normal([k, units], dtype), normal([units], dtype)];
  const fused = (...[x, w, offset]: sn.Tensor[]): sn.Tensor =>
    sn.fused.matMul({ a: x!, b: w!, bias: offset!, activation: 'selu' });
  if (kind === 'matmul') return () => sn.matMul(a, b);
  if (kind === 'fusedMatmul') return () => fused(a, b, bias);
  return kind === 'dense' ? both(fused, [a, b, bias], normal([m, units], dtype)) : null;
}

const { addon, queue } = currentBackend();
const finish = (): void => addon.synchronize(queue);

/** Milliseconds of a call: the median over rounds, each of as many calls as take the given time. */
async function timed(call: () => Promise<void> | void): Promise<number> {
  const round = async (calls: number): Promise<number> => {
    finish();
    const start = performance.now();
    for (let i = 0; i < calls; i++) await call();
    finish();
    return (performance.now() - start) / calls;
  };
  await round(3);
  const calls = Math.max(1, Math.ceil((SECONDS * 1000) / ROUNDS / (await round(2))));
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++) times.push(await round(calls));
  return times.sort((x, y) => x - y)[ROUNDS >> 1]!;
}

const say = (row: Row, mode: string, ms: number): void =>
  console.log(JSON.stringify({ peer: 'selfnorm', version: sn.version, device: sn.device(), row: row.id, mode, ms }));

async function measure(row: Row): Promise<void> {
  if (row.group === 'epoch') {
    const { model, x, y } = NETWORKS[row['network'] as string]!(row['samples'] as number, row['activation'] as 'relu');
    const epoch = async (): Promise<number> => {
      const start = performance.now();
      await model.fit(x, y, { batchSize: row['batch'] as number, epochs: 1, verbose: 0 });
      return performance.now() - start;
    };
    await epoch();
    const times = [await epoch(), await epoch(), await epoch()].sort((a, b) => a - b);
    say(row, 'recorded', times[1]!);
    sn.dispose([x, y]);
    model.dispose();
    return;
  }
  const call = prepare(row);
  if (call === null) throw new Error(`bench/gpu: no such row: ${row.id}`);
  const eager = (): void => sn.dispose(call());
  say(row, 'eager', await timed(eager));
  if (row.group === 'dispatch') return;
  const step = new StepProgram(row.id, () => {
    call();
    return [];
  });
  say(row, 'recorded', await timed(() => void step.take(currentBackend(), [])));
  step.check();
  step.clear();
}

// float32 products as PyTorch is asked to make them: TF32.
sn.setFloat32Precision('high');
for (const row of JSON.parse(readFileSync(positionals[0]!, 'utf8')) as Row[]) {
  try {
    await measure(row);
  } catch (error) {
    console.log(JSON.stringify({ peer: 'selfnorm', row: row.id, failed: String(error) }));
  }
}
