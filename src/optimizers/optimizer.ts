// What optimizers share: gradients by variable, clipping, weight decay, averages, and one native call a step.
import { failure, invalid } from '../errors.js';
import { gradientsByVariable, variableGrads } from '../autograd/gradients.js';
import { withoutRecording } from '../autograd/tape.js';
import { convert, sameBackend } from '../tensor/convert.js';
import { NativeOp, run, type Backend } from '../tensor/backend.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { cast } from '../ops/cast.js';
import { wideDType } from '../ops/cross-entropy.js';
import { Configurable } from '../serialization.js';
import { accumulate, clearAccumulated } from './accumulation.js';
import { Averages } from './averages.js';
import {
  checkOptimizerOptions,
  encodeSettings,
  optionsOf,
  type CommonSettings,
  type OptimizerOptions,
} from './checks.js';
import { castInto, groupsOf, type Group } from './groups.js';
import { checkLearningRate, serializeRate, type LearningRate, type LearningRateSchedule } from './learning-rate.js';
import { DEFAULT_LOSS_SCALING, scaled, ScaledCost } from './loss-scaling.js';
import { OptimizerState, type NamedTensor, type Slot } from './state.js';

export type { NamedTensor } from './state.js';

const SQUARED_NORMS = new NativeOp('squaredNorms');
const AVERAGE = new NativeOp('averageParameters');
const ASSIGN_IF_TAKEN = new NativeOp('assignIfTaken');

/** Gradients by variable name, or a list of them; null is no gradient. */
export type NamedGradients =
  Readonly<Record<string, Tensor | null>> | readonly { readonly name: string; readonly tensor: Tensor | null }[];

/** An update rule of the native side, and what it keeps for each parameter. */
export interface Rule {
  readonly op: NativeOp;
  readonly slots: readonly Slot[];
  /** Whether it multiplies momentums up from step to step. */
  readonly keepsProduct?: boolean;
}

/** Slots that start from zero. */
export const zeroSlots = (...names: readonly string[]): Slot[] => names.map((name) => ({ name, initial: 0 }));

/**
 * An optimizer. `minimize` takes a step; `learningRate` may be set at any time. Its state lives on the device, so a step
 * reads nothing back, and a recorded step goes on counting.
 */
export abstract class Optimizer extends Configurable {
  /** The function of `train` that makes it. */
  static readonly opName: string = 'optimizer';
  /** The native op's settings. */
  protected abstract settings(): number[];
  /** The rule's own settings by name, without the learning rate. */
  protected abstract ruleConfig(): Record<string, number | boolean>;

  protected readonly common: CommonSettings;
  private readonly state: OptimizerState;
  private readonly averages: Averages;

  constructor(
    learningRate: LearningRate,
    options: OptimizerOptions | null | undefined,
    private readonly rule: Rule,
  ) {
    super();
    const op = `train.${new.target.opName}`;
    const rate = checkLearningRate(op, learningRate);
    this.common = checkOptimizerOptions(op, options);
    const average: Slot[] = this.common.emaMomentum === null ? [] : [{ name: 'average', initial: 'value' }];
    const slots = [...rule.slots, ...average, ...(this.accumulates ? zeroSlots('gradient_accumulator') : [])];
    this.state = new OptimizerState(this.className, slots, rule.keepsProduct === true, this.accumulates, rate);
    if (this.common.lossScaling) this.state.scaleLosses(this.common.lossScaling);
    const averaged = (): [Variable, Tensor][] =>
      [...this.state.known].map(([variable, slots]) => [variable, slots[rule.slots.length]!]);
    this.averages = new Averages(this.className, this.common.emaMomentum === null ? null : averaged);
  }

  /** The name Keras and tfjs give it. */
  get className(): string {
    return this.getClassName();
  }

  /**
   * The learning rate of the next step, read from device memory by the optimizer's launch: changing it does not re-record the
   * step. It may be set to a schedule, or to a number in a schedule's place. With a schedule, reading it waits for the device.
   */
  get learningRate(): number {
    const rate = this.state.learningRate;
    return typeof rate === 'number' ? rate : rate.at(this.iterations);
  }
  set learningRate(value: LearningRate) {
    this.state.learningRate = checkLearningRate(this.className, value);
  }

  /** The schedule that the learning rate follows; null where it is a number. */
  get schedule(): LearningRateSchedule | null {
    const rate = this.state.learningRate;
    return typeof rate === 'number' ? null : rate;
  }

  /**
   * Steps taken, recorded ones included; waits for the device. With `gradientAccumulationSteps` several batches make a step.
   */
  get iterations(): number {
    return this.state.step;
  }

  /**
   * What the next loss is multiplied by, so that float16 gradients do not round to 0; 1 without loss scaling. It starts at
   * `lossScaling.initialScale`, doubles after every `growthSteps` steps, and halves with each step that is left out because a
   * gradient was not finite: such a step changes no weight, no state of the optimizer and no count but `skippedSteps`. All
   * that happens on the device; reading the scale does not hold up the event loop.
   */
  get lossScale(): Promise<number> {
    return this.state.current().then(({ lossScale }) => (this.scales ? (lossScale ?? 1) : 1));
  }

  /** Steps left out because a gradient was not finite; 0 without loss scaling. */
  get skippedSteps(): Promise<number> {
    return this.state.current().then(({ skippedSteps }) => skippedSteps);
  }

  private get accumulates(): boolean {
    return this.common.accumulationSteps > 1;
  }
  private get scales(): boolean {
    return this.state.lossScaling !== null;
  }

  /**
   * The loss times `lossScale`, by the scale on the device; the loss itself without loss scaling. Gradients for
   * `applyGradients` are taken of it; `minimize`, `computeGradients` and `fit` do so themselves.
   */
  scaleLoss(loss: Tensor): Tensor {
    if (!this.scales) return loss;
    const given = convert(`${this.className}.scaleLoss`, 'loss', loss);
    return scaled(cast(given, wideDType(given.dtype)), this.state.on(given.backend).progress);
  }

  /** @internal Begins to scale losses, unless the options say that it never does. */
  enableLossScaling(): void {
    if (this.common.lossScaling === null) this.state.scaleLosses(DEFAULT_LOSS_SCALING);
  }

  /** @internal What an epoch's logs say of loss scaling. */
  async lossScalingLogs(): Promise<Record<string, number>> {
    if (!this.scales) return {};
    const { lossScale, skippedSteps } = await this.state.current();
    return { lossScale: lossScale ?? 1, skippedSteps };
  }

  /** The settings it was made with, and the learning rate of now, by name: JSON that `getOptimizer` takes back. */
  override getConfig(): Record<string, unknown> {
    return { learningRate: serializeRate(this.state.learningRate), ...this.ruleConfig(), ...optionsOf(this.common) };
  }

  /**
   * Takes one step down the gradient of f.
   * @param f A function without arguments that gives a scalar.
   * @param returnCost True: gives f's value.
   * @param varList The variables to change; by default the trainable ones that f uses.
   */
  minimize(f: () => Tensor, returnCost = false, varList?: readonly Variable[]): Tensor | null {
    const cost = this.costOf(f);
    const { value, grads } = gradientsByVariable(this.className, cost.f, varList);
    this.apply(grads);
    for (const gradient of grads.values()) gradient.dispose();
    const unscaled = cost.unscaled(value);
    if (returnCost) return unscaled;
    unscaled.dispose();
    return null;
  }

  /**
   * f's value and its gradients by variable name, as `variableGrads`: what `applyGradients` takes. With loss scaling the
   * gradients are those of the scaled loss.
   */
  computeGradients(f: () => Tensor, varList?: readonly Variable[]): { value: Tensor; grads: Record<string, Tensor> } {
    const cost = this.costOf(f);
    const { value, grads } = variableGrads(cost.f, varList);
    return { value: cost.unscaled(value), grads };
  }

  /** f, with its result scaled where losses are. */
  private costOf(f: () => Tensor): ScaledCost {
    return new ScaledCost(f, this.scales ? (loss) => this.scaleLoss(loss) : null);
  }

  /**
   * Takes one step with given gradients, by the names of live variables. A variable without one keeps its values. With loss
   * scaling they are gradients of `scaleLoss(loss)`.
   * @throws ArgumentError, ShapeError
   */
  applyGradients(gradients: NamedGradients): void {
    const list: readonly { readonly name: string; readonly tensor: Tensor | null }[] = Array.isArray(gradients)
      ? (gradients as readonly NamedTensor[])
      : Object.entries(gradients as Record<string, Tensor>).map(([name, tensor]) => ({ name, tensor }));
    const byVariable = new Map<Variable, Tensor>();
    for (const { name, tensor } of list) {
      if (tensor === null || tensor === undefined) continue;
      const variable = Variable.named(name);
      if (variable === undefined) {
        throw invalid('ERR_ARGUMENT', this.className, 'gradients', 'names of live variables', name);
      }
      byVariable.set(variable, convert(this.className, name, tensor));
    }
    this.apply(byVariable);
  }

  /**
   * The step count (`iter`, int32), Nadam's `momentum_product`, and copies of the slots, named as in tfjs: `dense/kernel/m`,
   * averages `dense/kernel/average`. With the configuration and the variables they are all there is: training goes on from
   * them bit for bit.
   */
  async getWeights(): Promise<NamedTensor[]> {
    return this.state.weights();
  }

  /**
   * Takes over what `getWeights()` gave. Slots find their variables by name; of variables that the optimizer has not met
   * yet they wait for them. Refused weights change nothing.
   * @throws ArgumentError, ShapeError
   */
  async setWeights(weights: readonly NamedTensor[]): Promise<void> {
    await this.state.restore(weights);
  }

  /**
   * With `emaMomentum`: puts the running averages in the variables' place, for evaluating or saving them; called again, it
   * puts the variables' own values back. No step can be taken in between.
   * @returns Whether the averages are in place now.
   * @throws ArgumentError without `emaMomentum`.
   */
  swapAverages(): boolean {
    return this.averages.swap();
  }

  /** Whether `swapAverages()` has put the averages in the variables' place. */
  get averagesInPlace(): boolean {
    return this.averages.inPlace;
  }
  /** Whether running averages are kept: the option `emaMomentum`. */
  get keepsAverages(): boolean {
    return this.averages.areKept;
  }
  /** @internal What training goes on from: a variable's own values, while its average is in its place. */
  trainedValues(variable: Variable): Tensor {
    return this.averages.trainedValues(variable);
  }
  /** @internal Says that the variables have been given values to go on from, whatever stood in their place. */
  leaveAverages(): void {
    this.averages.forget();
  }

  /**
   * With `emaMomentum`: makes the running averages the variables' values for good, as Keras does when training ends.
   * @throws ArgumentError without `emaMomentum`.
   */
  applyAverages(): void {
    this.averages.apply();
  }

  /** Frees the optimizer's state. */
  dispose(): void {
    this.state.dispose();
    this.averages.forget();
  }

  /**
   * @internal Takes one step with gradients by variable.
   * @param nonNegative Variables whose negative values become 0, in the launch that makes the step.
   */
  apply(gradients: ReadonlyMap<Variable, Tensor>, nonNegative?: ReadonlySet<Variable>): void {
    if (this.averages.inPlace) {
      const what = 'the averages are in the place of the variables; call swapAverages() again before the next step';
      throw failure('ERR_ARGUMENT', this.className, what);
    }
    withoutRecording(() => {
      for (const [variable, gradient] of gradients) this.check(variable, gradient);
      // Slots first: what cannot be made or restored fails before anything has moved.
      for (const variable of gradients.keys()) this.state.slotsOf(variable);
      const groups = groupsOf(gradients, nonNegative);
      if (this.accumulates) this.accumulate(groups);
      if (this.clipsNorms || this.scales) this.measure(groups);
      const counted = new Set<Backend>();
      for (const group of groups) {
        this.step(group, counted);
        if (this.common.emaMomentum !== null) this.average(group, this.common.emaMomentum);
      }
      if (this.accumulates) this.clearAccumulated();
      for (const { temporary } of groups) for (const tensor of temporary) tensor.dispose();
    });
  }

  /** @internal Overwrites a variable after a step, unless the step was left out. */
  assignAfterStep(variable: Variable, values: Tensor): void {
    if (
      !(this.scales || this.accumulates) ||
      values.dtype !== variable.dtype ||
      !sameShape(values.shape, variable.shape)
    ) {
      variable.assign(values);
      return;
    }
    variable.assertLive(this.className, variable.name);
    const { progress } = this.state.on(sameBackend(this.className, variable, values));
    run(variable.backend, ASSIGN_IF_TAKEN, [values, progress], [{ id: variable.id }]);
    variable.assignments++;
  }

  private check(variable: Variable, gradient: Tensor): void {
    variable.assertLive(this.className, variable.name);
    sameBackend(this.className, variable, gradient);
    if (!sameShape(gradient.shape, variable.shape)) {
      const expected = `a gradient of shape [${variable.shape.join(',')}]`;
      throw invalid('ERR_SHAPE', this.className, variable.name, expected, [...gradient.shape]);
    }
  }

  /** Adds the gradients to those that wait; the step, where one is due, is taken with their mean. */
  private accumulate(groups: readonly Group[]): void {
    for (const group of groups) {
      const waiting = group.variables.map((variable) => this.state.slotsOf(variable).at(-1)!);
      accumulate(group.gradients, waiting, this.common.accumulationSteps);
      group.gradients = waiting.map((sum, i) => castInto(group.temporary, sum, group.variables[i]!.dtype));
    }
  }
  private clearAccumulated(): void {
    const waiting = [...this.state.known.values()].map((slots) => slots.at(-1)!);
    clearAccumulated(waiting, ({ backend }) => this.state.on(backend).progress);
  }

  private get clipsNorms(): boolean {
    return this.common.clipping === 'clipNorm' || this.common.clipping === 'globalClipNorm';
  }

  /** Leaves the gradients' squared norms where the step reads them: for clipping, and to see whether all are finite. */
  private measure(groups: readonly Group[]): void {
    const counts = new Map<Backend, number>();
    for (const group of groups) {
      group.firstNorm = counts.get(group.backend) ?? 0;
      counts.set(group.backend, group.firstNorm + group.gradients.length);
    }
    if (counts.size > 1 && (this.common.clipping === 'globalClipNorm' || this.scales)) {
      const [option, what] = this.scales
        ? ['lossScaling', 'a step is taken or left out as a whole']
        : ['globalClipNorm', 'their gradients have a common norm'];
      throw failure('ERR_DEVICE', this.className, `${option}: expected all variables on one device, since ${what}`);
    }
    for (const group of groups) {
      const { backend, gradients, firstNorm } = group;
      group.norms = this.state.normsOn(backend, counts.get(backend)!);
      run(backend, SQUARED_NORMS, gradients, [{ id: group.norms.id }], [firstNorm]);
    }
  }

  private step({ backend, least, variables, gradients, norms, firstNorm }: Group, counted: Set<Backend>): void {
    const { schedule, progress } = this.state.on(backend);
    const slots = this.rule.slots.length;
    const changed = variables.flatMap((variable) => [variable, ...this.state.slotsOf(variable).slice(0, slots)]);
    run(
      backend,
      this.rule.op,
      [schedule, norms, ...gradients],
      [progress, ...changed].map(({ id }) => ({ id })),
      [
        counted.has(backend) ? 0 : this.common.accumulationSteps,
        firstNorm,
        ...encodeSettings(this.common),
        least,
        this.state.lossScaling?.growthSteps ?? 0,
        ...this.settings(),
      ],
    );
    counted.add(backend);
  }

  private average({ backend, variables }: Group, momentum: number): void {
    const averages = variables.map((variable) => ({ id: this.state.slotsOf(variable)[this.rule.slots.length]!.id }));
    run(backend, AVERAGE, [this.state.on(backend).progress, ...variables], averages, [momentum]);
  }
}
