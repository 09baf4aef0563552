// HTML as a tagged template that escapes what is put into it: a name or a message can never become markup.

/** Text that is markup already. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(escape).join('');
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Markup from a template; values are escaped, lists joined, undefined left out. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < parts.length ? escape(parts[i]) : '')).join(''));
}
