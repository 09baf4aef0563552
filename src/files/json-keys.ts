// Where a JSON object's own keys stand. JSON.parse keeps the last of two keys of one name in silence; a file of weights that
// names one twice must be refused.

/** A key of the outermost object. */
export interface KeyPlace {
  readonly key: string;
  /** Index of its opening quote in the text. */
  readonly at: number;
}

const COLON = /\s*:/y;

/** The keys of the outermost object of a valid JSON text, in order, repeated ones too. */
export function topLevelKeys(json: string): KeyPlace[] {
  const keys: KeyPlace[] = [];
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const character = json[i]!;
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const end = stringEnd(json, i);
      // In the outermost object a string before a colon is a key.
      COLON.lastIndex = end;
      if (depth === 1 && COLON.test(json)) keys.push({ key: JSON.parse(json.slice(i, end)) as string, at: i });
      i = end - 1;
    }
  }
  return keys;
}

/** The index behind the closing quote of the string that opens at `start`. */
function stringEnd(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i + 1;
}
