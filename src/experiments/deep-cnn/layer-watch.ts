// What becomes of the layers while a network trains: moments of what they hand on, how much of it comes from the image, and the
// sums of their units' weights. SELU's fixed point asks that a unit's weights add up to 0 (the paper's omega): where they do
// not, what all images have in common, the grey they lie on, is handed on from layer to layer and drowns the image.
import { Callback, type Logs } from '../../callbacks/callback.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import { model as functional } from '../../models/functional.js';
import type { Model } from '../../models/model.js';
import { div } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { sqrt, square } from '../../ops/elementwise.js';
import { stack } from '../../ops/join.js';
import { mean, moments, sum } from '../../ops/reductions.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * What is watched of each hidden layer: moments of all its values, the share of their variance that lies between images, and of
 * the sums of its units' weights the root mean square and the mean.
 */
export const WATCHED = ['mean', 'variance', 'image', 'omega', 'omegaMean'] as const;
export type Watched = (typeof WATCHED)[number];

/** The log of a layer's quantity. */
export const logName = (what: Watched, layer: string): string => `${what}/${layer}`;

function momentsOf(end: Tensor): Tensor[] {
  const y = cast(end, 'float32');
  const all = moments(y);
  return [all.mean, all.variance, div(mean(moments(y, [0]).variance), all.variance)];
}

function sumsOf(kernel: Tensor): Tensor[] {
  const inputs = Array.from({ length: kernel.rank - 1 }, (_, axis) => axis);
  const omega = sum(kernel, inputs);
  return [sqrt(mean(square(omega))), mean(omega)];
}

/** What a hidden layer hands on: behind its activation, which may be a layer of its own. */
function endOf(network: Model, name: string): SymbolicTensor {
  const own = network.layers.filter((layer) => layer.name === name || layer.name === `${name}_activation`);
  return own.at(-1)!.output as SymbolicTensor;
}

/** Looks at the hidden layers after every epoch, on the same images. */
export class LayerWatch extends Callback {
  private readonly watched: Model;

  /** @param images Some tens of them. */
  constructor(
    private readonly network: Model,
    private readonly layers: readonly string[],
    private readonly images: Tensor,
  ) {
    super();
    this.watched = functional({ inputs: network.inputs, outputs: layers.map((name) => endOf(network, name)) });
  }

  /** Logs of the network as it is now. */
  async look(): Promise<Logs> {
    const { network, layers, watched, images } = this;
    const found = tidy(() => {
      const ends = watched.callAll([images], { training: false });
      const rows = layers.map((name, i) => [
        ...momentsOf(ends[i]!),
        ...sumsOf(network.getLayer(name).getWeights()[0]!),
      ]);
      return stack(rows.flat());
    });
    const values = await found.data();
    found.dispose();
    return Object.fromEntries(
      layers.flatMap((name, i) => WATCHED.map((what, k) => [logName(what, name), values[i * WATCHED.length + k]!])),
    );
  }

  override async onEpochEnd(_epoch: number, logs: Logs = {}): Promise<void> {
    Object.assign(logs, await this.look());
  }

  dispose(): void {
    this.watched.dispose();
  }
}
