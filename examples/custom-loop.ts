// A training loop of one's own: variables, a loss, gradients by name, and an optimizer that takes them. The loss has a penalty on
// the gradient by the input, so it needs second derivatives; `program` records the step and replays it.
//   npx tsx examples/custom-loop.ts [--quick]
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const steps = process.argv.includes('--quick') ? 300 : 2000;
const [BATCH, UNITS] = [128, 16];
sn.setSeed(1);

// Two rings: inside radius 0.5, and around it.
function rings(): [x: sn.Tensor, y: sn.Tensor] {
  const x = sn.randomUniform([BATCH, 2], -1, 1);
  return [x, x.square().sum(1, true).less(0.4).cast('float32')];
}

const weights = {
  w1: sn.variable(sn.randomNormal([2, UNITS], 0, Math.sqrt(1 / 2)), true, 'w1'),
  b1: sn.variable(sn.zeros([UNITS]), true, 'b1'),
  w2: sn.variable(sn.randomNormal([UNITS, 1], 0, Math.sqrt(1 / UNITS)), true, 'w2'),
  b2: sn.variable(sn.zeros([1]), true, 'b2'),
};
const logits = (x: sn.Tensor): sn.Tensor =>
  x.matMul(weights.w1).add(weights.b1).tanh().matMul(weights.w2).add(weights.b2);

/** Cross-entropy of the logits, and a little for every point where they are steep. */
function loss(x: sn.Tensor, y: sn.Tensor): sn.Tensor {
  const steepness = sn.grad((point) => logits(point).sum())(x);
  const entropy = sn.losses.sigmoidCrossEntropy(y, logits(x));
  return entropy.add(steepness.square().mean().mul(0.0005));
}

const adam = sn.train.adam(0.02);
const step = sn.program((x, y) => {
  const { value, grads } = sn.variableGrads(() => loss(x, y));
  adam.applyGradients(grads);
  return value;
});

for (let i = 1; i <= steps; i++) {
  const [x, y] = rings();
  const value = await step(x, y);
  if (i % (steps / 5) === 0) console.log(`step ${i}: loss ${value.dataSync()[0]!.toFixed(4)}`);
  for (const tensor of [x, y, value]) tensor.dispose();
}
const [x, y] = rings();
const right = logits(x).greater(0).cast('float32').equal(y).cast('float32').mean().dataSync()[0]!;
console.log(`right for ${(100 * right).toFixed(1)}% of new points; ${step.info().launches} launches a step`);
