// What a tfjs op costs where there is little to compute: microseconds a call of small ops, on one of tfjs's backends for Node.
//
//     node tfjs_dispatch.cjs [--package tfjs-node | selfnorm/tfjs]
//
// A line "round" measures every row once and gets one JSON line {row: microseconds}.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { parseArgs } = require('node:util');

const CALLS = 500;
const ROOT = path.join(__dirname, '..', '..');

const { values: options } = parseArgs({ options: { package: { type: 'string', default: 'tfjs-node' } } });

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function load(name) {
  if (name === 'selfnorm/tfjs') return require(path.join(ROOT, 'dist', 'tfjs.cjs'));
  const from = createRequire(path.join(path.resolve(process.env.SELFNORM_TFJS_NODE || '.'), 'resolved-from-here.js'));
  try {
    return from(`@tensorflow/${name}`);
  } catch {
    return undefined;
  }
}

/** Each row: what one call does. */
function rows(tf) {
  const x = tf.randomNormal([16]);
  const y = tf.randomNormal([16]);
  const a = tf.randomNormal([4, 4]);
  const image = tf.randomNormal([1, 8, 8, 2]);
  const filter = tf.randomNormal([3, 3, 2, 4]);
  const w = tf.variable(tf.randomNormal([4, 4]));
  const adam = tf.train.adam(1e-3);
  const derivative = tf.grad((value) => tf.selu(value));
  return {
    'add/16': () => tf.add(x, y),
    'mul by a number/16': () => tf.mul(x, 2),
    'relu/16': () => tf.relu(x),
    'sum/16': () => tf.sum(x),
    'reshape/16': () => tf.reshape(x, [4, 4]),
    'slice/16': () => tf.slice(x, 4, 8),
    'matMul/4x4': () => tf.matMul(a, a),
    'softmax/4x4': () => tf.softmax(a),
    'conv2d/8x8': () => tf.conv2d(image, filter, 1, 'same'),
    'maxPool/8x8': () => tf.maxPool(image, 2, 2, 'same'),
    'gradient of selu/16': () => derivative(x),
    'step of adam/4x4': () => adam.minimize(() => tf.sum(tf.square(tf.matMul(a, w)))),
  };
}

function measure(tf, call) {
  const run = () => {
    for (let i = 0; i < CALLS; i++) tf.tidy(call);
  };
  run();
  const start = performance.now();
  run();
  return ((performance.now() - start) / CALLS) * 1000;
}

async function main() {
  const peer = options.package;
  const tf = load(peer);
  if (tf === undefined) {
    say({
      peer,
      missing: `npm install @tensorflow/${peer}@4.22.0 (see bench/peers/README.md) and set SELFNORM_TFJS_NODE`,
    });
    return;
  }
  const table = rows(tf);
  say({ peer, ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== 'round') continue;
    say(Object.fromEntries(Object.entries(table).map(([row, call]) => [row, measure(tf, call)])));
  }
}

main();
