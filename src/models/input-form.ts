// From samples as they were fed, bytes as a rule, to what a model's input takes: a cast, or the rescaling layer that alone
// reads the input, in one pass with the gather of a shuffled batch.
import type { Layer } from '../layers/layer.js';
import { Rescaling } from '../layers/rescaling.js';
import { gather } from '../ops/gather.js';
import { gatherRescaled, rescale } from '../ops/rescale.js';
import { castRaw } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';

/** What samples become for an input. */
export interface InputForm {
  readonly dtype: DType;
  /** The layer whose result they become; null: only the dtype changes. */
  readonly rescaling: Rescaling | null;
}

/** The form of each input. */
export function inputForms({ inputs, outputs, nodes }: Graph): InputForm[] {
  return inputs.map((input) => {
    const [reader, another] = nodes.filter((node) => node.inputs.includes(input));
    const layer = reader?.layer;
    // A class derived from Rescaling may do something else.
    const isAlone = another === undefined && layer?.constructor === Rescaling && !outputs.includes(input);
    if (!isAlone) return { dtype: input.dtype, rescaling: null };
    const rescaling = layer as Rescaling;
    return { dtype: rescaling.computeOutputDType([input.dtype]), rescaling };
  });
}

/** Samples in the form. */
export function formed(x: Tensor, { dtype, rescaling }: InputForm): Tensor {
  return rescaling === null ? castRaw(x, dtype) : rescale(x, rescaling, dtype);
}

/** The samples at the indices, in the form. */
export function picked(x: Tensor, indices: Tensor, { dtype, rescaling }: InputForm): Tensor {
  if (rescaling !== null) return gatherRescaled(x, indices, rescaling, dtype);
  // A cast between floats keeps the sign of zero, which 1 x + 0 does not.
  const scaled = isFloat(dtype) && !isFloat(x.dtype);
  return scaled ? gatherRescaled(x, indices, { scale: 1, offset: 0 }, dtype) : castRaw(gather(x, indices), dtype);
}

/** Which of a model's inputs are a layer's result already, for the context of its call. */
export function rescaledInputs(xs: readonly Tensor[], forms: readonly InputForm[]): ReadonlyMap<Tensor, Layer> {
  return new Map(
    xs.flatMap((x, i): [Tensor, Layer][] => {
      const { rescaling } = forms[i]!;
      return rescaling === null ? [] : [[x, rescaling]];
    }),
  );
}
