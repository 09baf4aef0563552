// What an optimizer remembers, all of it on the device: the schedule, step count and rates of each device, and slots for each
// variable. Steps overwrite these tensors in place, so a recorded step goes on from where the last one stopped.
import { invalid } from '../errors.js';
import { NativeOp, run, type Backend } from '../tensor/backend.js';
import { castRaw, sameBackend } from '../tensor/convert.js';
import { withoutScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import { makeFromBytes, makeOne, type Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { scalar } from '../ops/creation.js';
import { clone } from '../ops/reshape.js';
import type { LossScaling } from './loss-scaling.js';
import { encodeRate, type LearningRate } from './learning-rate.js';

const FILL = new NativeOp('fill');
const ASSIGN = new NativeOp('assign');
const STEP = 'iter';
const PRODUCT = 'momentum_product';
/** Weights of an optimizer that scales the loss. */
const SCALING = ['loss_scale', 'good_steps', 'skipped_steps'] as const;
/** A weight of an optimizer that accumulates gradients: batches that wait for their step. */
const ACCUMULATED = 'accumulated_batches';

/** A tensor by name: a variable's gradient, or one of an optimizer's weights. */
export interface NamedTensor {
  name: string;
  tensor: Tensor;
}

/** A tensor of the parameter's shape kept for each parameter. */
export interface Slot {
  /** What stands after the variable's name: 'm' in `dense/kernel/m`. */
  readonly name: string;
  /** What it starts from: a number, or the parameter's own values. */
  readonly initial: number | 'value';
}

/** What a step reads and counts on a device. */
interface DeviceState {
  /** The schedule, or a fixed rate, as numbers. */
  readonly schedule: Tensor;
  /** OptimizerProgress of cuda/kernels/optimizer_rules.h. */
  readonly progress: Tensor;
  /** Squared norms of a step's gradients, by how many there are. */
  readonly norms: Map<number, Tensor>;
}

interface Counts {
  readonly step: number;
  /** Nadam's product of momentums. */
  readonly product: number;
  /** What the next loss is multiplied by; null before loss scaling begins. */
  readonly lossScale: number | null;
  /** Steps taken since it last changed. */
  readonly goodSteps: number;
  /** Steps left out because a gradient was not finite. */
  readonly skippedSteps: number;
  /** Batches whose gradients wait for their step. */
  readonly accumulated: number;
}
/** Before the first step. */
const NOTHING: Counts = { step: 0, product: 1, lossScale: null, goodSteps: 0, skippedSteps: 0, accumulated: 0 };

const bytesOf = (values: readonly number[] | Float64Array): Uint8Array =>
  new Uint8Array(Float64Array.from(values).buffer);
/** OptimizerProgress of cuda/kernels/optimizer_rules.h, before a step. */
const progressOf = ({ step, product, lossScale, goodSteps, skippedSteps, accumulated }: Counts): Float64Array =>
  Float64Array.of(step, product, 0, 1, 0, 0, 0, 1, 1, lossScale ?? 1, goodSteps, skippedSteps, accumulated);
/** The bytes of such a progress after so many steps, for rules that are stepped by others. */
export const progressAt = (step: number): Uint8Array => bytesOf(progressOf({ ...NOTHING, step }));
const countsIn = (progress: ArrayLike<number>, scales: boolean): Counts => ({
  step: progress[0]!,
  product: progress[1]!,
  lossScale: scales ? progress[9]! : null,
  goodSteps: progress[10]!,
  skippedSteps: progress[11]!,
  accumulated: progress[12]!,
});

/** A tensor that steps overwrite in place: no tidy() frees it, and views of it are copies. */
function ownedTensor(make: () => Tensor): Tensor {
  const tensor = withoutScope(make);
  tensor.kept = true;
  tensor.backend.addon.markVariable(tensor.id);
  return tensor;
}

const copyOf = ({ name, tensor }: NamedTensor): NamedTensor => ({ name, tensor: clone(tensor) });

function assign(target: Tensor, source: Tensor): void {
  const values = castRaw(source, target.dtype);
  run(target.backend, ASSIGN, [values], [{ id: target.id }]);
  if (values !== source) values.dispose();
}

export class OptimizerState {
  private readonly slots = new Map<Variable, readonly Tensor[]>();
  private readonly devices = new Map<Backend, DeviceState>();
  /** Where devices that are yet to come start counting. */
  private counts = NOTHING;
  /** Slots that restore() brought for variables that are yet to come. */
  private waiting: NamedTensor[] = [];
  private scaling: LossScaling | null = null;

  /**
   * @param op The optimizer's name, for errors.
   * @param keepsProduct Whether the product of momentums is a weight.
   * @param accumulates Whether gradients of several batches make a step.
   */
  constructor(
    private readonly op: string,
    private readonly slotList: readonly Slot[],
    private readonly keepsProduct: boolean,
    private readonly accumulates: boolean,
    private rate: LearningRate,
  ) {}

  get learningRate(): LearningRate {
    return this.rate;
  }
  set learningRate(rate: LearningRate) {
    this.rate = rate;
    for (const [backend, { schedule }] of this.devices) backend.addon.write(schedule.id, bytesOf(encodeRate(rate)));
  }

  /** Steps taken; waits for the devices. */
  get step(): number {
    return Math.max(this.counts.step, ...[...this.devices.values()].map(({ progress }) => progress.dataSync()[0]!));
  }

  /** How the loss is scaled; null: it is not. */
  get lossScaling(): LossScaling | null {
    return this.scaling;
  }
  /** Begins to scale the loss, from the restored scale if there is one. */
  scaleLosses(scaling: LossScaling): void {
    if (this.scaling !== null) return;
    this.scaling = scaling;
    this.counts = { ...this.counts, lossScale: this.counts.lossScale ?? scaling.initialScale };
    for (const [backend, { progress }] of this.devices) {
      const { step, product, accumulated } = countsIn(progress.dataSync(), false);
      backend.addon.write(progress.id, bytesOf(progressOf({ ...this.counts, step, product, accumulated })));
    }
  }

  /** The counts of the device that has taken the most steps, read without holding up the event loop. */
  async current(): Promise<Counts> {
    const progress = await Promise.all([...this.devices.values()].map(async ({ progress }) => progress.data()));
    const isAhead = (a: Counts, b: Counts): boolean => {
      const more = a.step + a.skippedSteps - (b.step + b.skippedSteps);
      return more === 0 ? a.accumulated > b.accumulated : more > 0;
    };
    return progress
      .map((numbers) => countsIn(numbers, this.scaling !== null))
      .reduce((a, b) => (isAhead(b, a) ? b : a), this.counts);
  }

  /** What a step reads and counts on that device. */
  on(backend: Backend): DeviceState {
    const known = this.devices.get(backend);
    if (known !== undefined) return known;
    const numbers = encodeRate(this.rate);
    const started = this.startingProgress();
    const state = {
      schedule: ownedTensor(() => makeFromBytes(backend, bytesOf(numbers), [numbers.length], 'float64')),
      progress: ownedTensor(() => makeFromBytes(backend, bytesOf(started), [started.length], 'float64')),
      norms: new Map<number, Tensor>(),
    };
    this.devices.set(backend, state);
    return state;
  }

  /** What a device's progress begins with. */
  private startingProgress(): Float64Array {
    return progressOf(this.scaling === null ? { ...this.counts, lossScale: null } : this.counts);
  }

  /** Room for the squared norms of `count` gradients. */
  normsOn(backend: Backend, count: number): Tensor {
    const { norms } = this.on(backend);
    let tensor = norms.get(count);
    if (tensor === undefined) {
      tensor = ownedTensor(() => makeOne(backend, FILL, [], [count], 'float64', [0]));
      norms.set(count, tensor);
    }
    return tensor;
  }

  /** A variable's slots, made when it is met first; float32 for half types, whose moments would stop moving. */
  slotsOf(variable: Variable): readonly Tensor[] {
    const known = this.slots.get(variable);
    if (known !== undefined) return known;
    const { backend, shape } = variable;
    const dtype = variable.dtype === 'float64' ? 'float64' : 'float32';
    for (const { tensor, name } of this.waitingFor(variable)) this.check(name, tensor, variable);
    const slots = this.slotList.map(({ initial }) =>
      ownedTensor(() => makeOne(backend, FILL, [], shape, dtype, [initial === 'value' ? 0 : initial])),
    );
    this.slots.set(variable, slots);
    this.fill(variable, slots);
    return slots;
  }

  /** Variables that have slots, with them. */
  get known(): ReadonlyMap<Variable, readonly Tensor[]> {
    return this.slots;
  }

  /** The counts and copies of all slots, by name. */
  async weights(): Promise<NamedTensor[]> {
    const { step, product, lossScale, goodSteps, skippedSteps, accumulated } = await this.current();
    const scaling = (): NamedTensor[] => [
      { name: SCALING[0], tensor: scalar(lossScale ?? 1, 'float64') },
      { name: SCALING[1], tensor: scalar(goodSteps, 'int32') },
      { name: SCALING[2], tensor: scalar(skippedSteps, 'int32') },
    ];
    const slots = this.slotList.flatMap(({ name }, i) =>
      [...this.slots].map(([variable, own]) => ({ name: `${variable.name}/${name}`, tensor: clone(own[i]!) })),
    );
    return [
      { name: STEP, tensor: scalar(step, 'int32') },
      ...(this.keepsProduct ? [{ name: PRODUCT, tensor: scalar(product, 'float64') }] : []),
      ...(this.scaling === null ? [] : scaling()),
      ...(this.accumulates ? [{ name: ACCUMULATED, tensor: scalar(accumulated, 'int32') }] : []),
      ...slots,
      ...this.waiting.map(copyOf),
    ];
  }

  /** Takes over what weights() gave; of slots that are not among them it starts again. Checks all before it changes any. */
  async restore(weights: unknown): Promise<void> {
    const list = this.checkList(weights);
    const own = this.keepsProduct ? [STEP, PRODUCT] : [STEP];
    const scales = list[own.length]?.name === SCALING[0];
    const before = scales ? [...own, ...SCALING] : own;
    const heads = list[before.length]?.name === ACCUMULATED ? [...before, ACCUMULATED] : before;
    const numbers: number[] = [];
    for (const [i, name] of heads.entries()) {
      const found = list[i];
      if (found?.name !== name || found.tensor.size !== 1) {
        throw invalid(
          'ERR_ARGUMENT',
          this.op,
          'weights',
          `${heads.map((h) => `'${h}'`).join(', ')} first`,
          found?.name,
        );
      }
      numbers.push((await found.tensor.data())[0]!);
    }
    const [step = 0, product = 1] = numbers;
    const scaling = scales ? numbers.slice(own.length) : [];
    const [lossScale = this.scaling?.initialScale ?? null, goodSteps = 0, skippedSteps = 0] = scaling;
    const accumulated = heads.length > before.length ? numbers.at(-1)! : 0;
    const checkCount = (name: string, expected: string, count: number): void => {
      if (!(Number.isSafeInteger(count) && count >= 0)) throw invalid('ERR_ARGUMENT', this.op, name, expected, count);
    };
    checkCount(STEP, 'the number of steps taken', step);
    if (lossScale !== null && !(lossScale > 0 && lossScale < Infinity)) {
      throw invalid('ERR_ARGUMENT', this.op, SCALING[0], 'a finite number above 0', lossScale);
    }
    checkCount(SCALING[1], 'the number of steps taken since the scale changed', goodSteps);
    checkCount(SCALING[2], 'the number of steps left out', skippedSteps);
    checkCount(ACCUMULATED, 'the number of batches that wait for their step', accumulated);
    const rest = list.slice(heads.length);
    for (const { name } of rest) {
      if (this.slotList.some((slot) => name.endsWith(`/${slot.name}`))) continue;
      const known = this.slotList.map((slot) => `.../${slot.name}`).join(', ') || 'no slots';
      throw invalid('ERR_ARGUMENT', this.op, 'weights', known, name);
    }
    for (const variable of this.slots.keys()) {
      for (const slot of this.slotList) {
        const name = `${variable.name}/${slot.name}`;
        for (const given of rest) if (given.name === name) this.check(name, given.tensor, variable);
      }
    }
    for (const { tensor } of this.waiting) tensor.dispose();
    this.waiting = rest.map((slot) => withoutScope(() => copyOf(slot)));
    this.counts = { step, product, lossScale, goodSteps, skippedSteps, accumulated };
    for (const [backend, { progress }] of this.devices) {
      backend.addon.write(progress.id, bytesOf(this.startingProgress()));
    }
    for (const [variable, slots] of this.slots) this.fill(variable, slots);
  }

  dispose(): void {
    for (const slots of this.slots.values()) for (const slot of slots) slot.dispose();
    for (const { schedule, progress, norms } of this.devices.values()) {
      for (const tensor of [schedule, progress, ...norms.values()]) tensor.dispose();
    }
    for (const { tensor } of this.waiting) tensor.dispose();
    this.waiting = [];
    this.slots.clear();
    this.devices.clear();
  }

  private checkList(weights: unknown): readonly NamedTensor[] {
    const list: unknown[] = Array.isArray(weights) ? weights : [];
    const valid = list.every((one) => typeof one === 'object' && one !== null && 'name' in one && 'tensor' in one);
    if (valid && list.length > 0) return list as NamedTensor[];
    throw invalid('ERR_ARGUMENT', this.op, 'weights', 'a list of {name, tensor} as getWeights() gives', weights);
  }

  private check(name: string, tensor: Tensor, variable: Variable): void {
    if (!sameShape(tensor.shape, variable.shape)) {
      throw invalid('ERR_SHAPE', this.op, name, `shape [${variable.shape.join(',')}]`, [...tensor.shape]);
    }
    sameBackend(this.op, variable, tensor);
  }

  private waitingFor(variable: Variable): NamedTensor[] {
    const names = this.slotList.map(({ name }) => `${variable.name}/${name}`);
    return this.waiting.filter(({ name }) => names.includes(name));
  }

  /** Fills a variable's slots with what restore() brought for them, or with what they start from. */
  private fill(variable: Variable, slots: readonly Tensor[]): void {
    this.slotList.forEach(({ name, initial }, i) => {
      const slot = slots[i]!;
      const at = this.waiting.findIndex((given) => given.name === `${variable.name}/${name}`);
      if (at >= 0) {
        const [{ tensor }] = this.waiting.splice(at, 1) as [NamedTensor];
        assign(slot, tensor);
        tensor.dispose();
      } else if (initial === 'value') assign(slot, variable);
      else run(slot.backend, FILL, [], [{ id: slot.id }], [initial]);
    });
  }
}
