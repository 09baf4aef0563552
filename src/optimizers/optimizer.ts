// What optimizers share: gradients by variable, state and slots on the device, and one native call a step.
import { invalid } from '../errors.js';
import { gradientsByVariable, variableGrads } from '../autograd/gradients.js';
import { withoutRecording } from '../autograd/tape.js';
import { NativeOp, run, type Backend, type Output } from '../tensor/backend.js';
import { castRaw, convert, sameBackend } from '../tensor/convert.js';
import { withoutScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import { makeFromBytes, makeOne, type Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { scalar } from '../ops/creation.js';
import { clone } from '../ops/reshape.js';

const FILL = new NativeOp('fill');
const ASSIGN = new NativeOp('assign');
/** Parameters of one native call: with two slots each they fit its 512 operands. */
const MOST_PARAMETERS = 128;

/** A tensor by name: a variable's gradient, or one of an optimizer's weights. */
export interface NamedTensor {
  name: string;
  tensor: Tensor;
}
/** Gradients by variable name, or a list of them; null is no gradient. */
export type NamedGradients =
  Readonly<Record<string, Tensor | null>> | readonly { readonly name: string; readonly tensor: Tensor | null }[];

/** What a step reads and counts on a device, both float64. */
interface DeviceState {
  readonly learningRate: Tensor;
  /** [steps taken, rate of the current step] */
  readonly progress: Tensor;
}

const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(new Float64Array(values).buffer);

/**
 * An optimizer. `minimize` takes a step; `learningRate` may be set at any time. Its state lives on the device, so a step
 * reads nothing back, and a recorded step goes on counting.
 */
export abstract class Optimizer {
  /** The name Keras and tfjs give it. */
  abstract readonly className: string;
  /** The function of `train` that makes it. */
  static readonly opName: string = 'optimizer';
  protected abstract readonly op: NativeOp;
  /** Tensors of the parameter's shape kept for each parameter, by what tfjs appends to the variable's name. */
  protected abstract readonly slotNames: readonly string[];
  /** The native op's settings. */
  protected abstract settings(): number[];
  /** The settings it was made with, by name. */
  abstract getConfig(): Record<string, number | boolean>;

  private readonly slots = new Map<Variable, readonly Tensor[]>();
  private readonly states = new Map<Backend, DeviceState>();
  /** What setWeights() gave: the step, and slots for variables that are yet to come. */
  private restoredStep = 0;
  private restored: NamedTensor[] = [];
  private rate: number;

  constructor(learningRate: number) {
    this.rate = checkNumber(`train.${new.target.opName}`, 'learningRate', learningRate, 0, Infinity);
  }

  /** Learning rate, read from device memory by the optimizer's launch: changing it does not re-record the step. */
  get learningRate(): number {
    return this.rate;
  }
  set learningRate(value: number) {
    this.rate = checkNumber(this.className, 'learningRate', value, 0, Infinity);
    for (const [backend, { learningRate }] of this.states) backend.addon.write(learningRate.id, bytesOf(value));
  }

  /** Steps taken, recorded ones included; waits for the device. */
  get iterations(): number {
    const steps = [...this.states.values()].map(({ progress }) => progress.dataSync()[0]!);
    return Math.max(this.restoredStep, ...steps);
  }

  /**
   * Takes one step down the gradient of f.
   * @param f A function without arguments that gives a scalar.
   * @param returnCost True: gives f's value.
   * @param varList The variables to change; by default the trainable ones that f uses.
   */
  minimize(f: () => Tensor, returnCost = false, varList?: readonly Variable[]): Tensor | null {
    const { value, grads } = gradientsByVariable(this.className, f, varList);
    this.apply(grads);
    for (const gradient of grads.values()) gradient.dispose();
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  /** f's value and its gradients by variable name, as `variableGrads`: what `applyGradients` takes. */
  computeGradients(f: () => Tensor, varList?: readonly Variable[]): { value: Tensor; grads: Record<string, Tensor> } {
    return variableGrads(f, varList);
  }

  /**
   * Takes one step with given gradients, by the names of live variables. A variable without one keeps its values.
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
   * The step count (`iter`, int32) and copies of the slots, named as in tfjs: `dense/kernel/m`. With the configuration and
   * the variables they are all there is: training goes on from them bit for bit.
   */
  async getWeights(): Promise<NamedTensor[]> {
    const counts = [...this.states.values()].map(async ({ progress }) => (await progress.data())[0]!);
    const step = Math.max(this.restoredStep, ...(await Promise.all(counts)));
    const slots = this.slotNames.flatMap((slot, i) =>
      [...this.slots].map(([variable, own]) => ({ name: `${variable.name}/${slot}`, tensor: clone(own[i]!) })),
    );
    return [{ name: 'iter', tensor: scalar(step, 'int32') }, ...slots, ...this.restored.map(copyOf)];
  }

  /**
   * Takes over what `getWeights()` gave. Slots find their variables by name; of variables that the optimizer has not met
   * yet they wait for them.
   * @throws ArgumentError, ShapeError
   */
  async setWeights(weights: readonly NamedTensor[]): Promise<void> {
    const [first, ...slots] = weights;
    if (first?.name !== 'iter' || first.tensor.size !== 1) {
      throw invalid('ERR_ARGUMENT', this.className, 'weights', "the step count 'iter' first", first?.name);
    }
    this.restoredStep = (await first.tensor.data())[0]!;
    for (const [backend, { progress }] of this.states) {
      backend.addon.write(progress.id, bytesOf(this.restoredStep, 0));
    }
    for (const { tensor } of this.restored) tensor.dispose();
    this.restored = slots.map((slot) => withoutScope(() => copyOf(slot)));
    for (const [variable, own] of this.slots) this.restore(variable, own);
  }

  /** Frees the optimizer's state. */
  dispose(): void {
    for (const slots of this.slots.values()) for (const slot of slots) slot.dispose();
    for (const state of this.states.values()) for (const tensor of Object.values(state) as Tensor[]) tensor.dispose();
    for (const { tensor } of this.restored) tensor.dispose();
    this.restored = [];
    this.slots.clear();
    this.states.clear();
  }

  /** @internal Takes one step with gradients by variable. */
  apply(gradients: ReadonlyMap<Variable, Tensor>): void {
    withoutRecording(() => {
      const groups = this.groups(gradients);
      const counted = new Set<Backend>();
      for (const group of groups) this.step(group, gradients, counted);
    });
  }

  /** Parameters that one native call can take: of one device and dtype. */
  private groups(gradients: ReadonlyMap<Variable, Tensor>): Variable[][] {
    const groups = new Map<string, Variable[]>();
    for (const [variable, gradient] of gradients) {
      variable.assertLive(this.className, variable.name);
      sameBackend(this.className, variable, gradient);
      if (!sameShape(gradient.shape, variable.shape)) {
        throw invalid('ERR_SHAPE', this.className, variable.name, `a gradient of shape [${variable.shape.join(',')}]`, [
          ...gradient.shape,
        ]);
      }
      const key = `${variable.device} ${variable.dtype}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [variable]);
      else if (group.length < MOST_PARAMETERS) group.push(variable);
      else {
        groups.set(`${key} ${groups.size}`, group);
        groups.set(key, [variable]);
      }
    }
    return [...groups.values()];
  }

  private step(variables: readonly Variable[], gradients: ReadonlyMap<Variable, Tensor>, counted: Set<Backend>): void {
    const { backend } = variables[0]!;
    const casts: Tensor[] = [];
    const state = this.stateOn(backend);
    const inputs: Tensor[] = [state.learningRate];
    const outputs: Output[] = [{ id: state.progress.id }];
    for (const variable of variables) {
      const given = gradients.get(variable)!;
      const gradient = castRaw(given, variable.dtype);
      if (gradient !== given) casts.push(gradient);
      inputs.push(gradient);
      outputs.push({ id: variable.id });
      for (const slot of this.slotsFor(variable)) outputs.push({ id: slot.id });
    }
    run(backend, this.op, inputs, outputs, [counted.has(backend) ? 0 : 1, ...this.settings()]);
    counted.add(backend);
    for (const gradient of casts) gradient.dispose();
  }

  private slotsFor(variable: Variable): readonly Tensor[] {
    const known = this.slots.get(variable);
    if (known !== undefined) return known;
    const { backend, shape } = variable;
    const dtype = variable.dtype === 'float64' ? 'float64' : 'float32';
    const slots = this.slotNames.map(() => ownedTensor(() => makeOne(backend, FILL, [], shape, dtype, [0])));
    this.restore(variable, slots);
    this.slots.set(variable, slots);
    return slots;
  }

  /** Fills a variable's slots with what setWeights() gave for it, if it did. */
  private restore(variable: Variable, slots: readonly Tensor[]): void {
    this.slotNames.forEach((slotName, i) => {
      const at = this.restored.findIndex(({ name }) => name === `${variable.name}/${slotName}`);
      if (at < 0) return;
      const { name, tensor } = this.restored[at]!;
      if (!sameShape(tensor.shape, variable.shape)) {
        throw invalid('ERR_SHAPE', this.className, name, `shape [${variable.shape.join(',')}]`, [...tensor.shape]);
      }
      sameBackend(this.className, variable, tensor);
      const values = castRaw(tensor, slots[i]!.dtype);
      run(variable.backend, ASSIGN, [values], [{ id: slots[i]!.id }]);
      tensor.dispose();
      if (values !== tensor) values.dispose();
      this.restored.splice(at, 1);
    });
  }

  private stateOn(backend: Backend): DeviceState {
    const known = this.states.get(backend);
    if (known !== undefined) return known;
    const state = {
      learningRate: ownedTensor(() => makeFromBytes(backend, bytesOf(this.rate), [], 'float64')),
      progress: ownedTensor(() => makeFromBytes(backend, bytesOf(this.restoredStep, 0), [2], 'float64')),
    };
    this.states.set(backend, state);
    return state;
  }
}

/** A tensor that steps overwrite in place: no tidy() frees it, and views of it are copies. */
function ownedTensor(make: () => Tensor): Tensor {
  const tensor = withoutScope(make);
  tensor.kept = true;
  tensor.backend.addon.markVariable(tensor.id);
  return tensor;
}

const copyOf = ({ name, tensor }: NamedTensor): NamedTensor => ({ name, tensor: clone(tensor) });

/** Checks a setting: a number with low <= value < high. */
export function checkNumber(op: string, argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !(value >= low && value < high)) {
    throw invalid('ERR_ARGUMENT', op, argument, `a number in [${low}, ${high})`, value);
  }
  return value;
}
