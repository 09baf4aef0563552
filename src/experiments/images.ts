// Images and one-hot labels of an experiment on its device, and training on them: what the experiments on images share.
import { mnist } from '../data/images/image-sets.js';
import type { ModelFitArgs } from '../models/fit-args.js';
import type { Model } from '../models/model.js';
import type { RunRecord } from '../report/report.js';
import type { Tensor } from '../tensor/tensor.js';
import type { RunContext } from './experiment.js';
import { runTrial, type Recorded, type TrialPlan } from './trial.js';

const EVALUATION_BATCH = 1000;

/** The data of a run, on its device. */
export interface Images {
  readonly trainX: Tensor;
  readonly trainY: Tensor;
  readonly testX: Tensor;
  readonly testY: Tensor;
}

/**
 * MNIST, its first images where the run has a limit.
 * @param form Numbers in [0, 1], or bytes as they are, a quarter of the memory: for networks that begin with a rescaling.
 */
export async function loadMnist({ settings, data }: RunContext, form: 'xs' | 'pixels' = 'xs'): Promise<Images> {
  const { limit } = settings;
  const sets = await mnist(data === undefined ? {} : { dataDir: data });
  const [train, test] = [sets.train.slice(0, limit), sets.test.slice(0, limit)];
  return { trainX: train[form](), trainY: train.ys(), testX: test[form](), testY: test.ys() };
}

/** Frees the images. */
export function disposeImages({ trainX, trainY, testX, testY }: Images): void {
  for (const tensor of [trainX, trainY, testX, testY]) tensor.dispose();
}

/** Loss and accuracy on the test images, of a model with the metric accuracy. */
export async function testOn(model: Model, { testX, testY }: Images): Promise<[loss: number, accuracy: number]> {
  const scalars = model.evaluate(testX, testY, { batchSize: EVALUATION_BATCH }) as Tensor[];
  const values = await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0]!));
  for (const scalar of scalars) scalar.dispose();
  return values as [number, number];
}

/** A trial on images: the training images without a last part that validates. */
export type ImageTrial = Pick<
  TrialPlan,
  'name' | 'title' | 'index' | 'of' | 'model' | 'epochs' | 'callbacks' | 'hasStopped'
> &
  Required<Pick<ModelFitArgs, 'batchSize' | 'validationSplit'>>;

/** What a trial's record says of how it was trained. */
export type TrainingFacts = Record<
  'batchSize' | 'epochs' | 'learningRate' | 'parameters' | 'trainingImages' | 'validationImages' | 'testImages',
  number
> & { readonly optimizer: string };

/** Trains a compiled model, from the trial's checkpoint if there is one. @throws Interrupted */
export async function trainOnImages(
  context: RunContext,
  images: Images,
  { batchSize, validationSplit, ...trial }: ImageTrial,
): Promise<Recorded & { readonly facts: TrainingFacts }> {
  const { model, epochs } = trial;
  const all = images.trainX.shape[0]!;
  const trainingImages = Math.floor(all * (1 - validationSplit));
  const recorded = await runTrial(context, {
    ...trial,
    x: images.trainX,
    y: images.trainY,
    batches: Math.ceil(trainingImages / batchSize),
    fit: { batchSize, validationSplit },
  });
  const facts: TrainingFacts = {
    optimizer: 'adam',
    learningRate: model.optimizer.learningRate,
    batchSize,
    epochs,
    parameters: model.countParams(),
    trainingImages,
    validationImages: all - trainingImages,
    testImages: images.testX.shape[0]!,
  };
  return { ...recorded, facts };
}

/** Compiles a classifier as the documents do: Adam, cross-entropy of one-hot labels, accuracy. */
export function compileClassifier(model: Model): void {
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
}

/** `48,000 to train, 12,000 to validate, 10,000 to test`, from a record. */
export function describeImages({ settings }: RunRecord): string {
  const count = (name: string): string => Number(settings[name]).toLocaleString('en');
  return `${count('trainingImages')} to train, ${count('validationImages')} to validate, ${count('testImages')} to test`;
}
