// Files that give the classes of a set their names: a name and a label a line, as MiniPlaces and Places365 have them.
import { failure } from '../../errors.js';
import { lineBlocks } from '../files/text-lines.js';

/**
 * Names of classes in label order, without the `/a/` that Places puts before them.
 * @param count How many there have to be.
 * @throws FileFormatError naming file and line.
 */
export async function readClassNames(op: string, file: string, count: number): Promise<string[]> {
  const names: (string | undefined)[] = Array.from({ length: count });
  for await (const { first, lines } of lineBlocks(op, { path: file })) {
    lines.forEach((line, i) => {
      if (line === '') return;
      const [, name, label] = /^(?:\/[a-z]\/)?(\S+) (\d+)$/.exec(line ?? '') ?? [];
      const wrong = (expected: string): Error =>
        failure('ERR_FILE_FORMAT', op, `${file}:${first + i}: expected ${expected}, got ${JSON.stringify(line)}`);
      if (name === undefined) throw wrong('a name and a label, as "abbey 0"');
      if (Number(label) >= count || names[Number(label)] !== undefined) {
        throw wrong(`labels from 0 to ${count - 1}, each once`);
      }
      names[Number(label)] = name;
    });
  }
  const missing = names.indexOf(undefined);
  if (missing < 0) return names as string[];
  throw failure('ERR_FILE_FORMAT', op, `${file}: expected ${count} classes, got none with the label ${missing}`);
}
