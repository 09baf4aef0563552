// What a layer is told about a call, beside its inputs.
import type { AppliedActivation } from '../ops/activation.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';

/** What a layer is told about the call. */
export interface CallContext {
  /** True in `fit`: dropout drops, batch normalisation takes the batch's moments. */
  readonly training: boolean;
  /** @internal Told of every layer's call with what it got and gave, layers of nested models included. */
  readonly observe?: LayerObserver;
  /** @internal An activation to end with: the layer behind it in a graph, where `fusion.ts` joins the two. */
  readonly activation?: AppliedActivation;
  /** @internal Inputs of the model that are the result of a rescaling layer already: a batch is scaled as it is gathered. */
  readonly rescaled?: ReadonlyMap<Tensor, Layer>;
}

/** @internal Looks at the values between layers, which may be gone when it has returned. */
export type LayerObserver = (layer: Layer, inputs: readonly Tensor[], outputs: readonly Tensor[]) => void;
