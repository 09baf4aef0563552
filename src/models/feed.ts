// From what the user feeds (tensors, arrays, several of them, by name) to one tensor for each input or output of the model,
// with one clear error for what does not fit.
import { invalid } from '../errors.js';
import { formatShape, shapeFits, type SymbolicShape } from '../layers/symbolic.js';
import { makeView, Tensor } from '../tensor/tensor.js';
import { convert, type NestedValues, type TensorLike } from '../tensor/convert.js';

/** Data of one input or output, of several in a list, or of several by name. */
export type Feed = TensorLike | readonly Tensor[] | { readonly [name: string]: TensorLike };

/** Tensors, and those among them that were made here and are to be freed when they are used. */
export class Fed {
  private readonly made: Tensor[] = [];

  /** The tensors of `given` for `names`, each converted. */
  list(op: string, argument: string, given: unknown, names: readonly string[]): Tensor[] {
    if (given === undefined || given === null) {
      throw invalid('ERR_ARGUMENT', op, argument, 'a tensor or arrays', given);
    }
    return this.parts(op, argument, given, names).map(([label, value]) => this.tensor(op, label, value));
  }

  private parts(op: string, argument: string, given: unknown, names: readonly string[]): [string, unknown][] {
    if (given instanceof Tensor || typeof given !== 'object' || ArrayBuffer.isView(given)) {
      return this.counted(op, argument, [given], names);
    }
    if (Array.isArray(given)) {
      const list = given as unknown[];
      // [tensor, tensor] is a list; [[1, 2], [3, 4]] are the values of one tensor where one is expected.
      const several = list.some((one) => one instanceof Tensor) || names.length > 1;
      return this.counted(op, argument, several ? list : [list], names);
    }
    const byName = given as Record<string, unknown>;
    const missing = names.find((name) => byName[name] === undefined);
    const unknown = Object.keys(byName).find((name) => !names.includes(name));
    if (missing !== undefined || unknown !== undefined) {
      const got = missing === undefined ? `also ${unknown}` : Object.keys(byName).join(', ') || 'nothing';
      throw invalid('ERR_ARGUMENT', op, argument, `data named ${names.join(', ')}`, got);
    }
    return names.map((name) => [`${argument}.${name}`, byName[name]]);
  }

  private counted(op: string, argument: string, list: unknown[], names: readonly string[]): [string, unknown][] {
    if (list.length !== names.length) {
      const expected = `${names.length} tensor${names.length === 1 ? '' : 's'} (${names.join(', ')})`;
      throw invalid('ERR_ARGUMENT', op, argument, expected, `${list.length} of them`);
    }
    return list.map((value, i) => [list.length === 1 ? argument : `${argument}[${i}]`, value]);
  }

  /** One value as a tensor. */
  tensor(op: string, argument: string, value: unknown): Tensor {
    const tensor = convert(op, argument, value as NestedValues | Tensor);
    if (tensor !== value) this.made.push(tensor);
    if (tensor.rank === 0) throw invalid('ERR_SHAPE', op, argument, 'a first axis of samples', []);
    return tensor;
  }

  /** The tensor with another axis of size 1 behind. */
  withLastAxis(tensor: Tensor): Tensor {
    const view = makeView(tensor, [...tensor.shape, 1]);
    this.made.push(view);
    return view;
  }

  /** Another tensor that was made for the feed. */
  adopt(tensor: Tensor): Tensor {
    this.made.push(tensor);
    return tensor;
  }

  /** Frees what was made here. */
  dispose(): void {
    for (const tensor of this.made) tensor.dispose();
    this.made.length = 0;
  }
}

/** A place that data is fed to. */
export interface Place {
  readonly name: string;
  readonly shape: SymbolicShape;
}

/** The tensor as the place wants it; a missing last axis of size 1 is added, as tfjs does. */
export function fitted(op: string, argument: string, fed: Fed, tensor: Tensor, { name, shape }: Place): Tensor {
  const matches = (candidate: SymbolicShape): boolean => shapeFits([null, ...candidate.slice(1)], shape);
  if (matches(tensor.shape)) return tensor;
  if (shape.length === 2 && tensor.rank === 1 && matches([...tensor.shape, 1])) return fed.withLastAxis(tensor);
  throw invalid('ERR_SHAPE', op, argument, `shape ${formatShape([null, ...shape.slice(1)])} for ${name}`, [
    ...tensor.shape,
  ]);
}
