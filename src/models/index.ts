// The namespace `models`.
export { modelFromJSON, type ModelTopology } from './model-json.js';
