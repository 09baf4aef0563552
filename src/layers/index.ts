// The namespace `layers`.
export { inputLayer, InputLayer, type InputLayerConfig } from './input.js';
export { Layer, type CallContext, type LayerConfig } from './layer.js';
export { registerLayer } from './registry.js';
