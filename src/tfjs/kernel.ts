// What a kernel of the backend is: a name of tfjs's and a function of its operands. Operands of dtypes that are the host's
// (strings, complex numbers) go to the host's kernel of that name, unless a kernel says that it takes them.
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { closeScope, openScope } from '../tensor/scope.js';
import { makeView, type Tensor } from '../tensor/tensor.js';
import { isNative, type SelfnormBackend } from './backend.js';

/** Operands by tfjs's names; some kernels take a list. Optional ones may be missing. */
export type Inputs = Readonly<Record<string, TensorInfo>>;
export type Result = TensorInfo | TensorInfo[];

/** A kernel that computes by native ops. */
export interface NativeKernel {
  readonly name: string;
  /** True where strings and complex numbers are the kernel's own business. */
  readonly anyDType?: boolean;
  readonly run: (inputs: Inputs, attributes: object, backend: SelfnormBackend) => Result;
}

/** A kernel as tfjs calls it. */
export type KernelFunction = (call: { inputs: NamedTensorInfoMap; attrs?: NamedAttrMap; backend: unknown }) => Result;

/** A kernel's function: native, or the host's where an operand's dtype asks for it. */
export function kernelFunction({ anyDType, run }: NativeKernel, host: KernelFunction): KernelFunction {
  return (call) => {
    const inputs = call.inputs as Inputs;
    if (!anyDType) {
      for (const name in inputs) {
        const operand = inputs[name];
        if (operand != null && !isNative(operand.dtype)) return host(call);
      }
    }
    return run(inputs, call.attrs ?? {}, call.backend as SelfnormBackend);
  };
}

/**
 * A kernel of ours.
 * @param body Gets the operands as tensors, which stay the backend's; returns a new tensor, which the backend then owns.
 * What else it makes is freed.
 */
export function kernel<A extends object = object>(
  name: string,
  body: (operands: Readonly<Record<string, Tensor>>, attributes: A, backend: SelfnormBackend) => Tensor,
): NativeKernel {
  return {
    name,
    run: (inputs, attributes, backend) => {
      const operands = tensorsOf(inputs, backend);
      return backend.wrap(owned(operands, () => body(operands, attributes as A, backend)));
    },
  };
}

/** The operands as tensors. */
export function tensorsOf(inputs: Inputs, backend: SelfnormBackend): Record<string, Tensor> {
  const operands: Record<string, Tensor> = {};
  for (const name in inputs) {
    const info = inputs[name];
    if (info != null) operands[name] = backend.tensor(info);
  }
  return operands;
}

/** What `body` makes, as a tensor of its own: what else it makes is freed, and an operand is viewed rather than given away. */
export function owned(operands: Readonly<Record<string, Tensor>>, body: () => Tensor): Tensor {
  // As tidy(), without its search of the result: this is half of what a small kernel costs.
  openScope();
  let kept: Tensor[] = NONE;
  try {
    let result = body();
    for (const name in operands) if (operands[name] === result) result = makeView(result, result.shape);
    kept = [result];
    return result;
  } finally {
    closeScope(kept);
  }
}

const NONE: Tensor[] = [];
