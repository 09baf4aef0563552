// Microbench of @tensorflow/tfjs-node: the rows of micro_rows.py, one JSON line each.
//
//     node tfjs_node_micro.cjs [--rows PREFIX] [--rounds N]
//
// tfjs-node runs every op to its end before it returns, so a clock around the call is enough. Gradients are called as tfjs's own
// registry holds them (getGradient), with the tensors the tape would have saved: the gradient alone, no second forward pass.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const { parseArgs } = require('node:util');

const PEER = 'tfjs-node';
const ELEMENTWISE_OPS = ['relu', 'elu', 'selu', 'leakyRelu', 'softplus', 'sigmoid', 'tanh', 'gelu', 'silu', 'relu6'];
const DROPPED = 'elementwise/selu+alphaDropout/16Mi/float32/both';
const ALPHA_RATE = 0.1;
const ELEMENTS = 16 * 1024 * 1024;
const MATRIX = 1024;
const WARM_UP_ROUNDS = 3;
const WARM_UP_MS = 300;
const CALLS_OF_TINY_OP = 2000;
const COMPOSED = 'composed of several ops: tfjs has none of its own';

const ROWS = [
  ...ELEMENTWISE_OPS.flatMap((op) => ['forward', 'backward'].map((way) => `elementwise/${op}/16Mi/float32/${way}`)),
  DROPPED,
  `matmul/${MATRIX}`,
  `matmul/${MATRIX}+bias+selu`,
  'fit/toy/2000',
  'add/16',
  'conv/250x13x13x32-64/forward',
  'conv/250x13x13x32-64/backward',
];

/** tfjs-node from the folder SELFNORM_TFJS_NODE or the current one; undefined where it is not installed. */
function loadTfjsNode() {
  const folder = path.resolve(process.env.SELFNORM_TFJS_NODE || '.');
  const from = createRequire(path.join(folder, 'resolved-from-here.js'));
  try {
    return { tf: from('@tensorflow/tfjs-node'), version: from('@tensorflow/tfjs-node/package.json').version };
  } catch (error) {
    return { error };
  }
}

function printLine(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function readArguments() {
  const { values } = parseArgs({
    options: { rows: { type: 'string', default: '' }, rounds: { type: 'string', default: '15' } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(`tfjs_node_micro: --rounds: expected an integer of at least 1, got ${values.rounds}\n`);
    process.exit(2);
  }
  return { prefix: values.rows, rounds };
}

/** gelu and silu as a tfjs user has to write them. */
function composedActivation(tf, op) {
  if (op === 'silu') return (x) => tf.mul(x, tf.sigmoid(x));
  return (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** Calls the registered gradient of one kernel with what the tape would have saved. */
function kernelGradient(tf, kernelName, inputs, output, attrs) {
  const config = tf.getGradient(kernelName);
  const saved = [
    ...(config.inputsToSave || []).map((name) => inputs[name]),
    ...(config.outputsToSave || []).map((is) => is && output),
  ].filter(Boolean);
  return (dy) => Object.values(config.gradFunc(dy, saved, attrs)).map((gradient) => gradient());
}

function elementwise(tf, op, direction) {
  const x = tf.randomNormal([ELEMENTS]);
  const composed = op === 'gelu' || op === 'silu';
  const forward = composed ? composedActivation(tf, op) : (value) => tf[op](value);
  if (direction === 'forward') return { call: () => forward(x), note: composed ? COMPOSED : undefined };
  const dy = tf.randomNormal([ELEMENTS]);
  if (composed) {
    const gradient = tf.grad(forward);
    return { call: () => gradient(x, dy), note: `forward and gradient; ${COMPOSED}` };
  }
  const kernelName = op[0].toUpperCase() + op.slice(1);
  const gradient = kernelGradient(tf, kernelName, { x, features: x }, forward(x), { alpha: 0.2 });
  return { call: () => gradient(dy), note: 'gradient alone' };
}

/** SELU, alpha dropout and the gradient of both, by the layer that tfjs has for it. */
function seluAndAlphaDropout(tf) {
  const layer = tf.layers.alphaDropout({ rate: ALPHA_RATE });
  const gradient = tf.valueAndGrad((x) => layer.apply(tf.selu(x), { training: true }));
  const [x, dy] = [tf.randomNormal([ELEMENTS]), tf.randomNormal([ELEMENTS])];
  return { call: () => gradient(x, dy), note: 'layers.alphaDropout(selu)' };
}

function matmul(tf, withBiasAndSelu) {
  const [a, b] = [tf.randomNormal([MATRIX, MATRIX]), tf.randomNormal([MATRIX, MATRIX])];
  const bias = tf.randomNormal([MATRIX]);
  if (!withBiasAndSelu) return { call: () => tf.matMul(a, b) };
  return { call: () => tf.selu(tf.add(tf.matMul(a, b), bias)), note: 'selu(add(matMul)): fused.matMul has no selu' };
}

function add(tf) {
  const [a, b] = [tf.randomNormal([16]), tf.randomNormal([16])];
  return { call: () => tf.add(a, b), calls: CALLS_OF_TINY_OP };
}

function convolution(tf, direction) {
  const x = tf.randomNormal([250, 13, 13, 32]);
  const filter = tf.randomNormal([3, 3, 32, 64]);
  if (direction === 'forward') return { call: () => tf.conv2d(x, filter, 1, 'valid') };
  const y = tf.conv2d(x, filter, 1, 'valid');
  const attrs = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: 1 };
  const gradient = kernelGradient(tf, 'Conv2D', { x, filter }, y, attrs);
  const dy = tf.randomNormal(y.shape);
  return { call: () => gradient(dy), note: 'dx and dfilter; gradient alone' };
}

/** f(a x + b) c + d learns ReLU on 256 points by Adam, 2000 steps; fewer rounds, since one takes a second. */
function fitToy(tf) {
  const x = tf.linspace(-0.5, 0.5, 256);
  const target = tf.relu(x);
  const fit = () => {
    const [a, b, c, d] = [1, 0.5, 1, 0].map((value) => tf.variable(tf.scalar(value)));
    const adam = tf.train.adam(0.1);
    const loss = () => x.mul(a).add(b).elu().mul(c).add(d).sub(target).abs().mean();
    for (let step = 0; step < 2000; step++) adam.minimize(loss, false, [a, b, c, d]);
    tf.dispose([a, b, c, d]);
    adam.dispose();
  };
  return { call: fit, note: 'eager', mostRounds: 5 };
}

function prepare(tf, row) {
  const parts = row.split('/');
  if (parts[0] === 'fit') return fitToy(tf);
  if (row === DROPPED) return seluAndAlphaDropout(tf);
  if (parts[0] === 'elementwise') return elementwise(tf, parts[1], parts.at(-1));
  if (parts[0] === 'conv') return convolution(tf, parts.at(-1));
  return parts[0] === 'add' ? add(tf) : matmul(tf, row.endsWith('+bias+selu'));
}

/** Milliseconds of one call, one number a round; results are freed inside the round, as a training loop's tidy does. */
function timesOf(tf, { call, calls = 1, mostRounds = Infinity }, rounds) {
  const oneRound = () => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) {
      tf.engine().startScope();
      call();
      tf.engine().endScope();
    }
    return (performance.now() - start) / calls;
  };
  const warmUpEnds = performance.now() + WARM_UP_MS;
  for (let i = 0; i < Math.min(WARM_UP_ROUNDS, mostRounds) || performance.now() < warmUpEnds; i++) oneRound();
  return Array.from({ length: Math.min(rounds, mostRounds) }, oneRound);
}

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function main() {
  const { prefix, rounds } = readArguments();
  const { tf, version, error } = loadTfjsNode();
  if (error) {
    const remedy = 'npm install @tensorflow/tfjs-node@4.22.0 (see README.md) and set SELFNORM_TFJS_NODE to its folder';
    printLine({ peer: PEER, missing: remedy, reason: error.message.split('\n')[0] });
    return;
  }
  for (const row of ROWS.filter((name) => name.startsWith(prefix))) {
    tf.engine().startScope();
    const trial = prepare(tf, row);
    const times = timesOf(tf, trial, rounds).sort((a, b) => a - b);
    tf.engine().endScope();
    const round = (ms) => Number(ms.toFixed(6));
    printLine({
      peer: PEER,
      version,
      bench: row,
      ms: round(median(times)),
      min: round(times[0]),
      n: times.length,
      note: trial.note,
    });
  }
}

main();
