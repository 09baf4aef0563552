// The namespace `selfNormalizing`.
export { constants, type ConstantsOptions } from './constants.js';
export type { Jacobian, Moments, SeluConstants, WeightSums } from './moment-map.js';
export {
  fixedPoint,
  theorem,
  type FixedPoint,
  type FixedPointOptions,
  type TheoremOptions,
  type TheoremResult,
} from './theorem.js';
export { monitor, type LayerReport, type MonitorReport } from './monitor.js';
export type { Problem, ProblemKind } from './problems.js';
