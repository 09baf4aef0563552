// The namespace `constraints`.
export { weightCentralization, weightStandardization } from './moments.js';
export { maxNorm, minMaxNorm, nonNeg, unitNorm } from './norms.js';
