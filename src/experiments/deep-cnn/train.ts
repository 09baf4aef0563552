// One training run: looked at as it goes, judged on the test images, and diagnosed.
import type { Model } from '../../models/model.js';
import { slice } from '../../ops/slice.js';
import { adadelta, adam } from '../../train.js';
import type { Optimizer } from '../../optimizers/optimizer.js';
import type { RunRecord } from '../../report/report.js';
import { monitor } from '../../self-normalizing/monitor.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { confusionOf } from '../confusion.js';
import type { RunContext } from '../experiment.js';
import { runTrial } from '../trial.js';
import type { TaskImages } from './images.js';
import { LayerWatch, WATCHED, logName } from './layer-watch.js';
import { buildNetwork, hiddenLayers } from './network.js';
import type { Extent, Stepping, Trial } from './trials.js';

const EVALUATION_BATCH = 250;
/** Images that the layers are watched on, and that the monitor sees at the end. */
const WATCHED_IMAGES = 128;
const MONITORED_IMAGES = 512;
/** In float32; Keras's. */
const EPSILON = 1e-7;

function optimizerOf({ optimizer, learningRate, epsilon = EPSILON, weightDecay = 0 }: Stepping): Optimizer {
  return optimizer === 'adam'
    ? adam(learningRate, 0.9, 0.999, epsilon, { weightDecay })
    : adadelta(learningRate, 0.95, epsilon, { weightDecay });
}

/** The first rows, or all there are. */
const firstOf = (x: Tensor, count: number): Tensor => slice(x, 0, Math.min(count, x.shape[0]!));

/** Loss, accuracy and top-5 accuracy on the test images. */
async function testOn(model: Model, { testX, testY }: TaskImages): Promise<Record<string, number>> {
  const scalars = model.evaluate(testX, testY, { batchSize: EVALUATION_BATCH }) as Tensor[];
  const [loss, acc, top5] = await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0]!));
  for (const scalar of scalars) scalar.dispose();
  return { test_loss: loss!, test_acc: acc!, test_top5: top5! };
}

/** The watched quantities by layer before the first step, as `start/<quantity>`. */
async function startOf(watch: LayerWatch, layers: readonly string[]): Promise<Record<string, number[]>> {
  const logs = await watch.look();
  return Object.fromEntries(WATCHED.map((what) => [`start/${what}`, layers.map((name) => logs[logName(what, name)]!)]));
}

/**
 * Trains a network, from the trial's checkpoint if there is one, and keeps its record.
 * @throws Interrupted
 */
export async function trainOne(
  context: RunContext,
  images: TaskImages,
  trial: Trial,
  { shape, batchSize, every }: Extent,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { name, part, task, method, stepping, seed, steps } = trial;
  const { trainX, trainY, testX, testY, classNames } = images;
  const layers = hiddenLayers(shape);
  setSeed(seed);
  const network = buildNetwork(method.recipe, shape, trainX.shape.slice(1), classNames.length);
  const optimizer = optimizerOf(stepping);
  const seen = firstOf(testX, WATCHED_IMAGES);
  const watch = new LayerWatch(network, layers, seen);
  try {
    const fromLogits = method.recipe.output === 'logits';
    network.compile({
      optimizer,
      loss: { className: 'sparseCategoricalCrossentropy', config: { fromLogits } },
      metrics: ['accuracy', 'top5'],
    });
    const start = await startOf(watch, layers);
    const stepsPerEpoch = Math.min(every, Math.ceil(trainX.shape[0]! / batchSize));
    const epochs = Math.max(1, Math.round(steps / stepsPerEpoch));
    const title = `${task.label}: ${method.label}`;
    const { history, secondsPerEpoch } = await runTrial(context, {
      name,
      title: `${title}, ${stepping.optimizer} ${stepping.learningRate}, seed ${seed}`,
      ...place,
      model: network,
      x: trainX,
      y: trainY,
      epochs,
      batches: stepsPerEpoch,
      fit: { batchSize, stepsPerEpoch },
      callbacks: [watch],
    });
    const { text } = tidy(() => monitor(network, firstOf(testX, MONITORED_IMAGES)));
    const answers: Record<string, number[]> = trial.keepsAnswers
      ? { confusion: await confusionOf(network, testX, testY, classNames.length) }
      : {};
    const record: RunRecord = {
      name,
      configuration: title,
      seed,
      history,
      secondsPerEpoch,
      results: await testOn(network, images),
      lists: { ...start, ...answers },
      settings: {
        part,
        task: task.key,
        key: method.key,
        ...method.recipe,
        standardized: method.standardized,
        ...stepping,
        ...shape,
        batchSize,
        stepsPerEpoch,
        steps: epochs * stepsPerEpoch,
        classes: classNames.length,
        classNames: JSON.stringify(classNames),
        parameters: network.countParams(),
        trainingImages: trainX.shape[0]!,
        testImages: testX.shape[0]!,
        imageMean: images.mean,
        imageDeviation: images.deviation,
        diagnosis: text,
      },
    };
    context.folder.finishTrial(record);
    context.tell({ event: 'trial-end', trial: name, results: record.results });
    return record;
  } finally {
    watch.dispose();
    seen.dispose();
    network.dispose();
    optimizer.dispose();
  }
}
