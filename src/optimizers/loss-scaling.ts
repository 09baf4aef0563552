// Dynamic loss scaling as the host sees it: its settings, and the loss times a scale that only the device knows. How the scale
// moves is in cuda/kernels/optimizer_step.cuh.
import { invalid } from '../errors.js';
import { record, withoutRecording } from '../autograd/tape.js';
import { clone } from '../ops/reshape.js';
import { NativeOp } from '../tensor/backend.js';
import { track, withoutScope } from '../tensor/scope.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const SCALE_LOSS = new NativeOp('scaleLoss');

/** How the loss is scaled. */
export interface LossScalingOptions {
  /** What the first loss is multiplied by; a power of two, so that undoing it is exact. Default 2^15. */
  initialScale?: number;
  /** Steps taken one after the other until the scale doubles. Default 2000. */
  growthSteps?: number;
}

/** Loss scaling that was checked. */
export type LossScaling = Readonly<Required<LossScalingOptions>>;
/** As Keras's LossScaleOptimizer. */
export const DEFAULT_LOSS_SCALING: LossScaling = { initialScale: 2 ** 15, growthSteps: 2000 };

/** Checks the option `lossScaling`. */
export function checkLossScaling(op: string, given: unknown): LossScaling | false | null {
  if (given === undefined || given === null || given === false) return given ?? null;
  if (given === true) return DEFAULT_LOSS_SCALING;
  if (typeof given !== 'object') {
    throw invalid('ERR_ARGUMENT', op, 'lossScaling', 'a boolean or {initialScale, growthSteps}', given);
  }
  const scaling: LossScaling = { ...DEFAULT_LOSS_SCALING, ...given };
  const { initialScale, growthSteps } = scaling;
  const unknown = Object.keys(scaling).find((key) => !Object.hasOwn(DEFAULT_LOSS_SCALING, key));
  if (unknown !== undefined) {
    throw invalid('ERR_ARGUMENT', op, 'lossScaling', 'only initialScale, growthSteps', unknown);
  }
  if (!(initialScale >= 2 ** -100 && initialScale <= 2 ** 100 && Number.isInteger(Math.log2(initialScale)))) {
    throw invalid('ERR_ARGUMENT', op, 'lossScaling.initialScale', 'a power of two from 2^-100 to 2^100', initialScale);
  }
  if (!(Number.isSafeInteger(growthSteps) && growthSteps >= 1)) {
    throw invalid('ERR_ARGUMENT', op, 'lossScaling.growthSteps', 'an integer of at least 1', growthSteps);
  }
  return scaling;
}

/** x times the scale of the loss. */
export function scaled(x: Tensor, progress: Tensor): Tensor {
  const y = makeOne(x.backend, SCALE_LOSS, [x, progress], x.shape, x.dtype);
  record([y], [x], ([dy]) => [dy == null ? null : scaled(dy, progress)], { readsInputs: false });
  return y;
}

/** A function of a loss that may be scaled behind it, with the loss as it was. */
export class ScaledCost {
  /** What is differentiated. */
  readonly f: () => Tensor;
  private loss: Tensor | null = null;

  /** @param scale null: losses are not scaled. */
  constructor(f: () => Tensor, scale: ((loss: Tensor) => Tensor) | null) {
    this.f =
      scale === null
        ? f
        : () => {
            const loss = f();
            this.loss = withoutRecording(() => withoutScope(() => clone(loss)));
            return scale(loss);
          };
  }

  /** The loss itself, given what `f` came to, which is freed. */
  unscaled(value: Tensor): Tensor {
    const { loss } = this;
    if (loss === null) return value;
    value.dispose();
    track(loss);
    return loss;
  }
}
