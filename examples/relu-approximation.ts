// Document 004, "SELUs don't actually solve the dying ReLU problem": fits f(ax + b) c + d to ReLU on [-0.5, 0.5] with eager
// ops and Adam, from two starts, and prints the mean absolute difference that is left.
//   npx tsx examples/relu-approximation.ts [--quick]
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const STEPS = process.argv.includes('--quick') ? 300 : 1000;
const POINTS = 256;
const ACTIVATIONS = {
  relu: sn.relu,
  leakyRelu: (x: sn.Tensor) => sn.leakyRelu(x, 0.01),
  elu: (x: sn.Tensor) => sn.elu(x),
  selu: (x: sn.Tensor) => sn.selu(x),
  softplus: (x: sn.Tensor) => sn.softplus(x),
} satisfies Record<string, (x: sn.Tensor) => sn.Tensor>;

/** The error after fitting from (a, b, c, d). */
function fit(f: (x: sn.Tensor) => sn.Tensor, start: readonly number[]): number {
  const x = sn.tensor(Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1) - 0.5));
  const target = sn.relu(x);
  const [a, b, c, d] = start.map((value) => sn.variable(value)) as [sn.Variable, sn.Variable, sn.Variable, sn.Variable];
  const loss = (): sn.Tensor => f(x.mul(a).add(b)).mul(c).add(d).sub(target).abs().mean();
  const adam = sn.train.adam(0.1);
  for (let step = 0; step < STEPS; step++) adam.minimize(loss);
  return loss().dataSync()[0]!;
}

console.log(`f(ax+b)c+d fitted to ReLU on [-0.5, 0.5]: error after ${STEPS} steps of Adam(0.1), on ${sn.device()}`);
console.log('activation    from d = -0.5   from d = 0');
for (const [name, f] of Object.entries(ACTIVATIONS)) {
  const errors = [-0.5, 0].map((d) => fit(f, [1, 0.5, 1, d]).toFixed(4));
  console.log(`${name.padEnd(12)} ${errors[0]!.padStart(12)} ${errors[1]!.padStart(14)}`);
}
console.log('0.0625 is the best straight line: there the fit is stuck, however alive every unit is.');
