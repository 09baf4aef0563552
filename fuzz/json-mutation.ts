// Changes to a JSON value: a few nodes of it become others, so that what describes a model is right but for a place or two.
import { AWKWARD_NUMBERS, AWKWARD_TEXTS, type Choices } from './choices.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Place {
  readonly holder: Record<string | number, Json>;
  readonly key: string | number;
}

function placesIn(value: Json, found: Place[] = []): Place[] {
  if (value === null || typeof value !== 'object') return found;
  const holder = value as Record<string, Json>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    placesIn(holder[key]!, found);
  }
  return found;
}

function awkward(choices: Choices): Json {
  switch (choices.below(6)) {
    case 0:
      return choices.pick(AWKWARD_NUMBERS);
    case 1:
      return choices.pick(AWKWARD_TEXTS);
    case 2:
      return choices.pick([null, true, false]);
    case 3:
      return [];
    case 4:
      return {};
    default:
      return choices.list(3, () => choices.pick(AWKWARD_NUMBERS));
  }
}

/** The value with some of its nodes changed, removed, doubled, or put in another's place. */
export function mutated(value: Json, choices: Choices): Json {
  const root = { value: structuredClone(value) };
  for (let count = choices.below(5); count > 0; count--) {
    const places = placesIn(root);
    const { holder, key } = places[choices.below(places.length)]!;
    const other = places[choices.below(places.length)]!;
    switch (choices.below(5)) {
      case 0:
        holder[key] = awkward(choices);
        break;
      case 1:
        if (Array.isArray(holder)) holder.splice(Number(key), 1);
        else delete holder[key];
        break;
      case 2:
        holder[key] = structuredClone(other.holder[other.key] ?? null);
        break;
      case 3:
        if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)] ?? null));
        else holder[choices.pick(AWKWARD_TEXTS)] = holder[key]!;
        break;
      default:
        if (typeof holder[key] === 'number') holder[key] += choices.pick([1, -1, 0.5, 1000]);
        else holder[key] = awkward(choices);
    }
    if (root.value === undefined) return null;
  }
  return root.value;
}
