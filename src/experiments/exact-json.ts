// JSON that keeps every number: NaN and the infinities too, which losses come to.

const NAMES: readonly string[] = ['NaN', 'Infinity', '-Infinity'];

/** The value as JSON text; what is not finite is written as {"number": "NaN"}. */
export function stringifyExactly(value: unknown, indent?: number): string {
  const replace = (_key: string, each: unknown): unknown =>
    typeof each === 'number' && !Number.isFinite(each) ? { number: String(each) } : each;
  return JSON.stringify(value, replace, indent);
}

/** What `stringifyExactly` was given. @throws SyntaxError */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, each: unknown) => {
    const name = typeof each === 'object' && each !== null && 'number' in each ? each.number : undefined;
    return typeof name === 'string' && NAMES.includes(name) ? Number(name) : each;
  });
}
