// What optimizers share: gradients by variable, state and slots on the device, and one native launch a step.
import { invalid } from '../errors.js';
import { gradientsByVariable } from '../autograd/gradients.js';
import { withoutRecording } from '../autograd/tape.js';
import { NativeOp, run, type Backend, type Output } from '../tensor/backend.js';
import { convert } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import { withoutScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { makeFromBytes, makeOne } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';

const FILL = new NativeOp('fill');
/** Parameters of one native call: with two slots each they fit its 512 operands. */
const MOST_PARAMETERS = 128;

/** Gradients by variable name, or a list of them. */
export type NamedGradients = Record<string, Tensor> | readonly { name: string; tensor: Tensor }[];

interface Tracked {
  readonly variable: Variable;
  readonly slots: readonly Tensor[];
}

/**
 * An optimizer. `minimize` takes a step; `learningRate` may be set at any time. Its state lives on the device, so a step
 * reads nothing back.
 */
export abstract class Optimizer {
  /** The name Keras and tfjs give it. */
  abstract readonly className: string;
  /** The function of `train` that makes it. */
  static readonly opName: string = 'optimizer';
  protected abstract readonly op: NativeOp;
  /** Tensors of the parameter's shape kept for each parameter. */
  protected abstract readonly slotCount: number;
  protected abstract parameters(): number[];
  /** The settings it was made with. */
  abstract getConfig(): Record<string, number | boolean>;

  private readonly tracked = new Map<Variable, Tracked>();
  private readonly states = new Map<string, Tensor>();
  private rate: number;
  private steps = 0;

  constructor(learningRate: number) {
    this.rate = checkNumber(`train.${new.target.opName}`, 'learningRate', learningRate, 0, Infinity);
  }

  /** Read by the step from device memory: changing it does not change a recorded step. */
  get learningRate(): number {
    return this.rate;
  }
  set learningRate(value: number) {
    this.rate = checkNumber(this.className, 'learningRate', value, 0, Infinity);
    for (const state of this.states.values()) this.writeState(state);
  }

  /** Steps taken. */
  get iterations(): number {
    return this.steps;
  }

  /**
   * Takes one step down the gradient of f.
   * @param f A function without arguments that gives a scalar.
   * @param returnCost True: gives f's value.
   * @param varList The variables to change; by default the trainable ones that f uses.
   */
  minimize(f: () => Tensor, returnCost?: boolean, varList?: readonly Variable[]): Tensor | null {
    const { value, grads } = this.computeGradients(f, varList);
    this.apply(grads);
    for (const gradient of grads.values()) gradient.dispose();
    if (returnCost === true) return value;
    value.dispose();
    return null;
  }

  /** f's value and its gradients by variable. */
  computeGradients(f: () => Tensor, varList?: readonly Variable[]): { value: Tensor; grads: Map<Variable, Tensor> } {
    return gradientsByVariable(this.className, f, varList);
  }

  /** Takes one step with given gradients, by the names of live variables: what `variableGrads` gives. */
  applyGradients(gradients: NamedGradients): void {
    const list = Array.isArray(gradients)
      ? (gradients as { name: string; tensor: Tensor }[])
      : Object.entries(gradients as Record<string, Tensor>).map(([name, tensor]) => ({ name, tensor }));
    const byVariable = new Map<Variable, Tensor>();
    for (const { name, tensor } of list) {
      const variable = Variable.named(name);
      if (variable === undefined) {
        throw invalid('ERR_ARGUMENT', this.className, 'gradients', 'names of live variables', name);
      }
      byVariable.set(variable, convert(this.className, name, tensor));
    }
    this.apply(byVariable);
  }

  /** Frees the optimizer's state. */
  dispose(): void {
    for (const { slots } of this.tracked.values()) for (const slot of slots) slot.dispose();
    for (const state of this.states.values()) state.dispose();
    this.tracked.clear();
    this.states.clear();
  }

  private apply(gradients: ReadonlyMap<Variable, Tensor>): void {
    for (const [variable, gradient] of gradients) {
      if (!sameShape(gradient.shape, variable.shape)) {
        throw invalid('ERR_SHAPE', this.className, variable.name, `a gradient of shape [${variable.shape.join(',')}]`, [
          ...gradient.shape,
        ]);
      }
      if (gradient.dtype !== variable.dtype) {
        throw invalid('ERR_DTYPE', this.className, variable.name, `a ${variable.dtype} gradient`, gradient.dtype);
      }
    }
    withoutRecording(() => {
      for (const group of this.groups(gradients)) this.step(group, gradients);
    });
    this.steps++;
  }

  /** Parameters that one native call can take: of one device and dtype. */
  private groups(gradients: ReadonlyMap<Variable, Tensor>): Variable[][] {
    const groups = new Map<string, Variable[]>();
    for (const variable of gradients.keys()) {
      const key = `${variable.device} ${variable.dtype}`;
      groups.set(key, [...(groups.get(key) ?? []), variable]);
    }
    return [...groups.values()];
  }

  private step(variables: readonly Variable[], gradients: ReadonlyMap<Variable, Tensor>): void {
    const { backend, dtype } = variables[0]!;
    for (let first = 0; first < variables.length; first += MOST_PARAMETERS) {
      const part = variables.slice(first, first + MOST_PARAMETERS);
      // Each call advances the state it is given, so each part has its own.
      const state = this.stateFor(backend, dtype, first);
      const outputs: Output[] = [{ id: state.id }];
      for (const variable of part) {
        outputs.push({ id: variable.id });
        for (const slot of this.slotsFor(variable)) outputs.push({ id: slot.id });
      }
      run(
        backend,
        this.op,
        part.map((variable) => gradients.get(variable)!),
        outputs,
        this.parameters(),
      );
    }
  }

  private slotsFor(variable: Variable): readonly Tensor[] {
    const known = this.tracked.get(variable);
    if (known !== undefined) return known.slots;
    const dtype = variable.dtype === 'float64' ? 'float64' : 'float32';
    const slots = withoutScope(() =>
      Array.from({ length: this.slotCount }, () => makeOne(variable.backend, FILL, [], variable.shape, dtype, [0])),
    );
    this.tracked.set(variable, { variable, slots });
    return slots;
  }

  /** [learning rate, step, beta1^step, beta2^step], float64. */
  private stateFor(backend: Backend, dtype: DType, part: number): Tensor {
    const key = `${backend.device} ${dtype} ${part}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const state = withoutScope(() => {
      const values = new Float64Array([this.rate, 0, 1, 1]);
      return makeFromBytes(backend, new Uint8Array(values.buffer), [4], 'float64');
    });
    this.states.set(key, state);
    return state;
  }

  private writeState(state: Tensor): void {
    const values = state.dataSync() as Float64Array;
    values[0] = this.rate;
    state.backend.addon.write(state.id, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
}

/** Checks a setting: a number with low <= value < high. */
export function checkNumber(op: string, argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !(value >= low && value < high)) {
    throw invalid('ERR_ARGUMENT', op, argument, `a number in [${low}, ${high})`, value);
  }
  return value;
}
