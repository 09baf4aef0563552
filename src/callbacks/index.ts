// The namespace `callbacks`.
export { activationMonitor, type ActivationMonitorConfig, type StopOn } from './activation-monitor.js';
export { earlyStopping, type EarlyStoppingConfig } from './early-stopping.js';
export { modelCheckpoint, type ModelCheckpointConfig } from './model-checkpoint.js';
export type { MonitorMode } from './monitor.js';
export { tensorBoard, type TensorBoardConfig } from './tensor-board.js';
export { terminateOnNaN } from './terminate-on-nan.js';
