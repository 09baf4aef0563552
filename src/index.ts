// The public surface: names only. See docs/ for the guide.
import './ops/activation-names.js';
import './ops/methods.js';

export {
  device,
  devices,
  setDevice,
  setFloat32Precision,
  time,
  withDevice,
  type DeviceDescription,
  type TimingInfo,
} from './tensor/device.js';
export { version } from './version.js';
export { dispose, keep, memory, setMemoryLimit, tidy, type MemoryInfo, type ProgramMemory } from './tensor/memory.js';
export {
  program,
  type Program,
  type ProgramInfo,
  type ProgramInput,
  type ProgramOptions,
  type ProgramResult,
} from './program/program.js';
export { Tensor } from './tensor/tensor.js';
export { variable, Variable } from './tensor/variable.js';
export type { DType } from './tensor/dtype.js';
export type { Shape } from './tensor/shape.js';
export type { TensorLike } from './tensor/convert.js';
export * from './errors.js';
export * from './ops/arithmetic.js';
export * from './ops/comparison.js';
export * from './ops/elementwise.js';
export { broadcastTo, tile } from './ops/broadcast.js';
export { castCopy as cast } from './ops/cast.js';
export { alphaDropout, dropout, seluAlphaDropout, type AlphaDropoutOptions, type NoiseShape } from './ops/dropout.js';
export { getRandomState, setRandomState, setSeed, type RandomState } from './tensor/random-state.js';
export { where } from './ops/select.js';
export { concat, stack } from './ops/join.js';
export { cumsum } from './ops/scan.js';
export { eye, linspace, range } from './ops/ranges.js';
export { gather, oneHot } from './ops/gather.js';
export { pad, slice, split, unstack } from './ops/slice.js';
export { reverse, transpose } from './ops/transpose.js';
export { topk } from './ops/topk.js';
export { clone, expandDims, reshape, squeeze } from './ops/reshape.js';
export * from './ops/creation.js';
export { conv2d, conv2dTranspose, depthwiseConv2d } from './ops/convolution.js';
export { dot, matMul, outerProduct } from './ops/matmul.js';
export * as fused from './ops/fused.js';
export { avgPool, maxPool } from './ops/pooling.js';
export type { Padding, Size2d } from './ops/convolution-shape.js';
export { prelu } from './ops/prelu.js';
export { randomNormal, randomUniform, truncatedNormal } from './ops/random.js';
export * from './ops/reductions.js';
export { losses, Reduction } from './ops/losses.js';
export { batchNorm, layerNorm } from './ops/normalisation.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export * from './ops/activations.js';
export { activation, type ActivationDefinition, type DefinedActivation } from './ops/defined-activation.js';
export { customGrad, grad, grads, valueAndGrad, valueAndGrads, variableGrads } from './autograd/gradients.js';
export type { CustomGradient, CustomGradientFunc, GradSaveFunc } from './autograd/gradients.js';
export * as layers from './layers/index.js';
export { input, type InputConfig } from './layers/input.js';
export { mixedPrecision, type LayerDType, type MixedPolicy } from './layers/dtype-policy.js';
export type { CallContext, DisposeResult, LayerConfig } from './layers/layer.js';
export { registerLayer, type LayerClass, type SerializedLayer } from './layers/registry.js';
export { SymbolicTensor, type SymbolicShape } from './layers/symbolic.js';
export * as models from './models/index.js';
export { loadKerasModel, loadLayersModel, type LoadOptions } from './models/loading.js';
export type { LoadHandler, ModelArtifacts, SaveHandler, WeightSpec } from './models/artifacts.js';
export type { SaveConfig, SaveResult } from './models/saving.js';
export { model, type ModelConfig } from './models/functional.js';
export { Model, Model as LayersModel, type NamedWeight } from './models/model.js';
export { sequential, Sequential, type SequentialConfig } from './models/sequential.js';
export { readSafetensors, writeSafetensors, type SafetensorsContent } from './files/safetensors.js';
export { encodeOnnx, exportOnnx } from './interchange/onnx/export.js';
export { decodeNpy } from './interchange/numpy/npy.js';
export { loadNpz, saveNpz, type LoadNpzOptions, type SaveNpzOptions } from './interchange/numpy/npz.js';
export {
  SummaryWriter,
  type SummaryImage,
  type SummaryWriterOptions,
} from './interchange/tensorboard/summary-writer.js';
export * as initializers from './initializers/index.js';
export { Initializer, registerInitializer } from './initializers/initializer.js';
export * as regularizers from './regularizers/index.js';
export { Regularizer, registerRegularizer } from './regularizers/regularizer.js';
export * as constraints from './constraints/index.js';
export { Constraint, registerConstraint } from './constraints/constraint.js';
export * as callbacks from './callbacks/index.js';
export {
  Callback,
  CustomCallback,
  type CallbackState,
  type CustomCallbackArgs,
  type Logs,
} from './callbacks/callback.js';
export { EarlyStopping } from './callbacks/early-stopping.js';
export { History } from './callbacks/history.js';
export type { LossFunction, LossLike, SerializedLoss } from './losses/loss.js';
export * as metrics from './metrics/index.js';
export type { MetricFunction, MetricLike } from './metrics/metric.js';
export type { ModelCompileArgs } from './models/compile.js';
export type { DatasetLike } from './models/dataset-stream.js';
export type { Feed } from './models/feed.js';
export type { BatchArgs, ModelEvaluateArgs, ModelFitArgs, ModelPredictArgs } from './models/fit-args.js';
export type { ModelEvaluateDatasetArgs, ModelFitDatasetArgs } from './models/fit-dataset.js';
export type { TrainingState } from './models/training-state.js';
export * as train from './train.js';
export { Optimizer, type NamedGradients, type NamedTensor } from './optimizers/optimizer.js';
export type { OptimizerOptions } from './optimizers/checks.js';
export type { LossScalingOptions } from './optimizers/loss-scaling.js';
export { LearningRateSchedule, type LearningRate } from './optimizers/learning-rate.js';
export { AdadeltaOptimizer } from './optimizers/adadelta.js';
export { AdagradOptimizer } from './optimizers/adagrad.js';
export { AdamaxOptimizer, AdamOptimizer, AdamWOptimizer, NadamOptimizer } from './optimizers/adam.js';
export { LionOptimizer } from './optimizers/lion.js';
export { MomentumOptimizer } from './optimizers/momentum.js';
export { RMSPropOptimizer } from './optimizers/rmsprop.js';
export { SGDOptimizer } from './optimizers/sgd.js';
export * as distributed from './distributed/index.js';
export type { DistributedOptions } from './models/data-parallel.js';
export * as data from './data/index.js';
export * as selfNormalizing from './self-normalizing/index.js';
