// The namespace `metrics`.
export {
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from './accuracy.js';
export { precision, r2Score, recall } from './counts.js';
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
} from '../losses/classification.js';
export {
  cosineProximity,
  cosineProximity as cosine,
  meanAbsoluteError,
  meanAbsoluteError as mae,
  meanAbsoluteError as MAE,
  meanAbsolutePercentageError,
  meanAbsolutePercentageError as mape,
  meanAbsolutePercentageError as MAPE,
  meanSquaredError,
  meanSquaredError as mse,
  meanSquaredError as MSE,
} from '../losses/regression.js';
