// Running averages of parameters in the parameters' place, and back. The averages themselves are slots that steps keep up to
// date; here are the parameters' own values while averages stand in for them.
import { failure } from '../errors.js';
import { castRaw } from '../tensor/convert.js';
import { withoutScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { clone } from '../ops/reshape.js';

function assignCast(variable: Variable, values: Tensor): void {
  const cast = castRaw(values, variable.dtype);
  variable.assign(cast);
  if (cast !== values) cast.dispose();
}

/** The averages of one optimizer's parameters. */
export class Averages {
  /** The variables' own values while the averages stand in their place. */
  private readonly ownValues = new Map<Variable, Tensor>();

  /**
   * @param className The optimizer's, for errors.
   * @param known Variables with their averages; null where none are kept.
   */
  constructor(
    private readonly className: string,
    private readonly known: (() => Iterable<readonly [Variable, Tensor]>) | null,
  ) {}

  get areKept(): boolean {
    return this.known !== null;
  }
  get inPlace(): boolean {
    return this.ownValues.size > 0;
  }

  /** Puts them in the variables' place, or the variables' own values back; says whether they are in place now. */
  swap(): boolean {
    const averages = this.live('swapAverages');
    if (this.inPlace) {
      for (const [variable, values] of this.ownValues) {
        if (!variable.isDisposed) variable.assign(values);
        values.dispose();
      }
      this.ownValues.clear();
      return false;
    }
    for (const [variable, average] of averages) {
      this.ownValues.set(
        variable,
        withoutScope(() => {
          const values = clone(variable);
          values.kept = true;
          return values;
        }),
      );
      assignCast(variable, average);
    }
    return this.inPlace;
  }

  /** Makes them the variables' values for good. */
  apply(): void {
    for (const [variable, average] of this.live('applyAverages')) assignCast(variable, average);
    this.forget();
  }

  /** What training goes on from: the variable's own values while its average is in its place. */
  trainedValues(variable: Variable): Tensor {
    return this.ownValues.get(variable) ?? variable;
  }

  /** Leaves the variables as they are. */
  forget(): void {
    for (const values of this.ownValues.values()) values.dispose();
    this.ownValues.clear();
  }

  private live(op: string): (readonly [Variable, Tensor])[] {
    if (this.known === null) {
      const what = `${op}: there are no averages; make the optimizer with {emaMomentum}`;
      throw failure('ERR_ARGUMENT', this.className, what);
    }
    return [...this.known()].filter(([variable]) => !variable.isDisposed);
  }
}
