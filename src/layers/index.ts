// The namespace `layers`: tfjs's functions, which make layers, and their classes.
export {
  activation,
  elu,
  leakyReLU,
  prelu,
  reLU,
  softmax,
  thresholdedReLU,
  Activation,
  ELU,
  LeakyReLU,
  PReLU,
  ReLU,
  Softmax,
  ThresholdedReLU,
  type ActivationLayerConfig,
  type AlphaConfig,
  type PReLUConfig,
  type ReLUConfig,
  type SoftmaxConfig,
  type ThresholdedReLUConfig,
} from './activations.js';
export type { ActivationConfig, ActivationLike } from './activation.js';
export {
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  Conv2D,
  Conv2DTranspose,
  DepthwiseConv2D,
  type Conv2DConfig,
  type ConvolutionConfig,
  type DepthwiseConv2DConfig,
} from './convolution.js';
export { dense, Dense, type DenseConfig } from './dense.js';
export { embedding, Embedding, type EmbeddingConfig } from './embedding.js';
export { inputLayer, InputLayer, type InputLayerConfig } from './input.js';
export { lambda, Lambda, type LambdaConfig } from './lambda.js';
export { Layer, type CallContext, type LayerConfig } from './layer.js';
export {
  add,
  average,
  concatenate,
  dot,
  maximum,
  minimum,
  multiply,
  Add,
  Average,
  Concatenate,
  Dot,
  Maximum,
  Minimum,
  Multiply,
  type ConcatenateConfig,
  type DotConfig,
} from './merge.js';
export {
  alphaDropout,
  dropout,
  gaussianDropout,
  gaussianNoise,
  AlphaDropout,
  Dropout,
  GaussianDropout,
  GaussianNoise,
  type DropoutConfig,
  type GaussianDropoutConfig,
  type GaussianNoiseConfig,
} from './noise.js';
export {
  batchNormalization,
  layerNormalization,
  BatchNormalization,
  LayerNormalization,
  type BatchNormalizationConfig,
  type LayerNormalizationConfig,
} from './normalization.js';
export {
  averagePooling2d,
  averagePooling2d as avgPool2d,
  averagePooling2d as avgPooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  globalMaxPooling2d as globalMaxPool2d,
  maxPooling2d,
  maxPooling2d as maxPool2d,
  AveragePooling2D,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  MaxPooling2D,
  type GlobalPooling2DConfig,
  type Pooling2DConfig,
} from './pooling.js';
export { registerLayer } from './registry.js';
export { rescaling, Rescaling, type RescalingConfig } from './rescaling.js';
export {
  flatten,
  permute,
  reshape,
  Flatten,
  Permute,
  Reshape,
  type FlattenConfig,
  type PermuteConfig,
  type ReshapeConfig,
} from './reshaping.js';
export { timeDistributed, TimeDistributed, type TimeDistributedConfig } from './wrappers.js';
export type { WeightConfig } from './weight-options.js';
