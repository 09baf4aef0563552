// Regression: a small network learns y = sin(3x) from noisy points. The learning rate decays along a cosine, early stopping gives
// back the weights of the best epoch, and a drawing of the curve shows what was learnt.
//   npx tsx examples/regression.ts [--quick]
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const epochs = process.argv.includes('--quick') ? 60 : 300;
const [POINTS, BATCH] = [512, 32];
sn.setSeed(1);

const x = sn.randomUniform([POINTS, 1], -1, 1);
const y = sn.tidy(() => sineOf(x).add(sn.randomNormal([POINTS, 1], 0, 0.1)));

// sin(3x) from its Taylor series: the library's maths is what networks need.
function sineOf(points: sn.Tensor): sn.Tensor {
  const t = points.mul(3);
  const [t3, t5, t7, t9] = [3, 5, 7, 9].map((power) => t.pow(power)) as [sn.Tensor, sn.Tensor, sn.Tensor, sn.Tensor];
  return t.sub(t3.div(6)).add(t5.div(120)).sub(t7.div(5040)).add(t9.div(362_880));
}

const model = sn.sequential();
model.add(sn.layers.dense({ inputShape: [1], units: 32, activation: 'selu', kernelInitializer: 'leCunNormal' }));
model.add(sn.layers.dense({ units: 32, activation: 'selu', kernelInitializer: 'leCunNormal' }));
model.add(sn.layers.dense({ units: 1 }));
const rate = sn.train.schedules.cosineDecay(0.01, (epochs * POINTS) / BATCH);
model.compile({ optimizer: sn.train.adam(rate), loss: 'meanSquaredError', metrics: ['mae'] });

const best = sn.callbacks.earlyStopping({ monitor: 'val_loss', patience: 30, restoreBestWeights: true });
const { history } = await model.fit(x, y, { epochs, batchSize: BATCH, validationSplit: 0.25, callbacks: best });
const least = Math.min(...history.val_loss!.map(Number));
console.log(`${history.loss!.length} epochs, least validation loss ${least.toFixed(4)}; the noise alone is 0.01`);

const grid = sn.linspace(-1, 1, 17).reshape([17, 1]);
const [learnt, truth] = [model.predict(grid) as sn.Tensor, sineOf(grid)].map((curve) => [...curve.dataSync()]);
learnt!.forEach((value, i) => {
  const column = Math.min(40, Math.max(0, Math.round((value + 1) * 20)));
  console.log(`${(i / 8 - 1).toFixed(3).padStart(6)} ${value.toFixed(2).padStart(5)} |${' '.repeat(column)}*`);
});
const worst = Math.max(...learnt!.map((value, i) => Math.abs(value - truth![i]!)));
console.log(`largest error ${worst.toFixed(2)}`);
