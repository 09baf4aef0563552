// The parameters of a step in groups, each for one native call.
import type { Backend } from '../tensor/backend.js';
import { castRaw } from '../tensor/convert.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';

/** Parameters of one native call: with three slots each they fit its 512 operands. */
const MOST_PARAMETERS = 120;

/** Parameters of one native call, of one device, dtype and least value, with their gradients in that dtype. */
export interface Group {
  readonly backend: Backend;
  /** The least value of a parameter after the step. */
  readonly least: number;
  readonly variables: Variable[];
  gradients: Tensor[];
  /** Made for this step alone. */
  readonly temporary: Tensor[];
  /** Squared norms of all gradients on the device, when they are clipped by them, and where this group's begin. */
  norms: Tensor | null;
  firstNorm: number;
}

/** The parameters that have gradients, in groups of one native call each. */
export function groupsOf(
  gradients: ReadonlyMap<Variable, Tensor>,
  nonNegative: ReadonlySet<Variable> | undefined,
): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const [variable, gradient] of gradients) {
    const least = nonNegative?.has(variable) === true ? 0 : -Infinity;
    const key = `${variable.device} ${variable.dtype} ${least}`;
    let group = open.get(key);
    if (group === undefined || group.variables.length === MOST_PARAMETERS) {
      const { backend } = variable;
      group = { backend, least, variables: [], gradients: [], temporary: [], norms: null, firstNorm: 0 };
      open.set(key, group);
      groups.push(group);
    }
    group.variables.push(variable);
    group.gradients.push(castInto(group.temporary, gradient, variable.dtype));
  }
  return groups;
}

/** The values in that dtype; a tensor that has to be made for it is noted. */
export function castInto(made: Tensor[], values: Tensor, dtype: Variable['dtype']): Tensor {
  const cast = castRaw(values, dtype);
  if (cast !== values) made.push(cast);
  return cast;
}
