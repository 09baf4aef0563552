// The TypeScript of the documents, as programs: each fenced block marked `ts`, with what a comment above it declares for it.
//   <!-- given: declare const model: sn.Model; -->   what the block takes from the text around it: checked, but not run
//   <!-- not run: downloads -->                      checked, but not run, and why
import { readFileSync } from 'node:fs';

export interface Snippet {
  /** `docs/data.md:47` */
  readonly place: string;
  /** What stands before the code and is not shown. */
  readonly given: string;
  readonly code: string;
  readonly runs: boolean;
}

const COMMENT = /^<!-- (given|not run): (.*) -->$/;

/** The blocks of a document. */
export function snippetsOf(file: string): Snippet[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const found: Snippet[] = [];
  lines.forEach((line, i) => {
    if (line !== '```ts') return;
    const end = lines.indexOf('```', i);
    const notes = new Map<string, string>();
    for (let above = i - 1; COMMENT.test(lines[above] ?? ''); above--) {
      const [, kind, text] = COMMENT.exec(lines[above]!)!;
      notes.set(kind!, text!);
    }
    found.push({
      place: `${file}:${i + 1}`,
      given: notes.get('given') ?? '',
      code: lines.slice(i + 1, end).join('\n'),
      runs: notes.size === 0,
    });
  });
  return found;
}
