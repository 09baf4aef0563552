// A formula's text as tokens, each with the place where it begins.

export interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  /** Index of its first character. */
  readonly at: number;
}

const PATTERN =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<sign>\*\*|<=|>=|==|!=|&&|\|\||[-+*/^()<>?:,!]))/y;

/**
 * The tokens of a formula, `end` last.
 * @param refuse Makes the error for a character that begins no token.
 */
export function tokensOf(formula: string, refuse: (at: number, what: string) => Error): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const trimmed = formula.trimEnd().length;
  while (at < trimmed) {
    PATTERN.lastIndex = at;
    const match = PATTERN.exec(formula);
    if (match === null) {
      const fault = at + /^\s*/.exec(formula.slice(at))![0].length;
      const character = String.fromCodePoint(formula.codePointAt(fault)!);
      const fix = character === '=' ? "; '==' compares" : '';
      throw refuse(fault, `unknown character ${JSON.stringify(character)}${fix}`);
    }
    const { number, name, sign } = match.groups!;
    const text = number ?? name ?? sign!;
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign';
    tokens.push({ kind, text, at: PATTERN.lastIndex - text.length });
    at = PATTERN.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', at: trimmed });
  return tokens;
}
