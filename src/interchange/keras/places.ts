// Where a Keras 3 file keeps each layer's weights. A group is named after the layer's class, with a number behind it where there are
// several, and not after the layer.
import { snakeCase } from '../../layers/naming.js';

/** A layer with what is inside it. */
export interface Nested<L> {
  readonly layer: L;
  readonly className: string;
  /** Layers of a model, in its order; null of any other layer. */
  readonly layers: readonly Nested<L>[] | null;
  /** What timeDistributed applies. */
  readonly wrapped: Nested<L> | null;
}

/** The group of each layer that is no model. */
export function groupsOf<L>({ layer, layers, wrapped }: Nested<L>, path = ''): Map<L, string> {
  if (layers === null) {
    const inner = wrapped === null ? [] : groupsOf(wrapped, join(path, 'layer'));
    return new Map([[layer, path], ...inner]);
  }
  const groups = new Map<L, string>();
  const used = new Map<string, number>();
  for (const one of layers) {
    const name = snakeCase(one.className === 'Model' ? 'Functional' : one.className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    const place = join(path, `layers/${count === 0 ? name : `${name}_${count}`}`);
    for (const [inner, group] of groupsOf(one, place)) groups.set(inner, group);
  }
  return groups;
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);
