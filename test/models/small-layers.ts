// Layers small enough to check by hand, of the classes that the stored tfjs models name.
import * as sn from '../../src/index.js';
import { Layer, type CallContext, type LayerConfig } from '../../src/layers/layer.js';
import type { SymbolicShape } from '../../src/layers/symbolic.js';
import type { Shape } from '../../src/tensor/shape.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Variable } from '../../src/tensor/variable.js';

const constant = (value: number) => ({ apply: (shape: Shape) => sn.fill(shape, value) });

/** x kernel + bias; the kernel starts as ones. */
export class TestDense extends Layer {
  static override readonly className = 'TestDense';
  kernel!: Variable;
  bias!: Variable;
  constructor(readonly options: LayerConfig & { units: number }) {
    super(options);
  }
  override build([shape]: readonly SymbolicShape[]): void {
    const inputs = shape!.at(-1)!;
    this.kernel = this.addWeight('kernel', [inputs, this.options.units], { initializer: constant(1) });
    this.bias = this.addWeight('bias', [this.options.units], { initializer: constant(0) });
    this.inputSpec = [{ minRank: 2, axes: { [-1]: inputs } }];
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return [...shape!.slice(0, -1), this.options.units];
  }
  override call([x]: readonly Tensor[]): Tensor {
    return sn.add(sn.matMul(x!, this.kernel), this.bias);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), units: this.options.units };
  }
}

/** The sum of its inputs. */
export class TestAdd extends Layer {
  static override readonly className = 'TestAdd';
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  override call([first, ...others]: readonly Tensor[]): Tensor {
    return others.reduce((sum, x) => sn.add(sum, x), first!);
  }
}

/** gamma (x - moving_mean); training moves the mean halfway to the batch's. */
export class TestNorm extends Layer {
  static override readonly className = 'TestNorm';
  gamma!: Variable;
  mean!: Variable;
  override build([shape]: readonly SymbolicShape[]): void {
    const size = shape!.at(-1)!;
    this.gamma = this.addWeight('gamma', [size], { initializer: constant(1) });
    this.mean = this.addWeight('moving_mean', [size], { initializer: constant(0), trainable: false });
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  override call([x]: readonly Tensor[], { training }: CallContext): Tensor {
    if (training) this.mean.assign(sn.add(sn.mul(this.mean, 0.5), sn.mul(sn.mean(x!, 0), 0.5)));
    return sn.mul(sn.sub(x!, this.mean), this.gamma);
  }
}

/** Its input itself, not a copy: as dropout out of training. */
export class TestThrough extends TestAdd {
  static override readonly className = 'TestAdd';
  override call([x]: readonly Tensor[]): Tensor {
    return x!;
  }
}

for (const layer of [TestDense, TestAdd, TestNorm]) sn.registerLayer(layer);

export const dense = (units: number, name: string, rest: LayerConfig = {}) => new TestDense({ units, name, ...rest });
export const add = (name: string) => new TestAdd({ name });
export const norm = (name: string, rest: LayerConfig = {}) => new TestNorm({ name, ...rest });
export const input = (size: number, name: string) => sn.input({ shape: [size], name });
