// The namespace `callbacks`.
export { activationMonitor, type ActivationMonitorConfig, type StopOn } from './activation-monitor.js';
export { csvLogger, type CsvLoggerConfig } from './csv-logger.js';
export { earlyStopping, type EarlyStoppingConfig } from './early-stopping.js';
export { learningRateScheduler, type EpochSchedule } from './learning-rate-scheduler.js';
export { modelCheckpoint, type ModelCheckpointConfig } from './model-checkpoint.js';
export type { MonitorMode } from './monitor.js';
export { reduceLROnPlateau, type ReduceLROnPlateauConfig } from './reduce-lr-on-plateau.js';
export { swapEmaWeights, type SwapEmaWeightsConfig } from './swap-ema-weights.js';
export { tensorBoard, type TensorBoardConfig } from './tensor-board.js';
export { terminateOnNaN } from './terminate-on-nan.js';
