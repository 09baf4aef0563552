// Comma-separated values.
import { csv as readCsv, type CsvColumn } from '../src/data/index.js';
import { AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged } from './damage.js';
import type { Target } from './target.js';

const FIELDS = ['1', '2.5', '-3', 'true', 'False', 'text', '"a,b"', '"a\nb"', '"a""b"', '"', ...AWKWARD_TEXTS] as const;
const NAMES = ['a', 'b', 'c', '__proto__', '"a b"', ''] as const;

function build(choices: Choices): Uint8Array[] {
  const columns = 1 + choices.below(3);
  const rows = choices.list(6, (row) => {
    const width = choices.rarely(10) ? choices.below(5) : columns;
    const fields = Array.from({ length: width }, (_, i) =>
      row > 0 ? choices.pick(FIELDS) : choices.rarely(6) ? choices.pick(NAMES) : NAMES[i]!,
    );
    return fields.join(choices.rarely(12) ? ';' : ',') + choices.pick(['\n', '\n', '\r\n', '\r', '']);
  });
  return [damaged(Buffer.from((choices.rarely(8) ? '\ufeff' : '') + rows.join('')), choices)];
}

export const csv: Target = {
  files: ['table.csv'],
  build,
  async read([path], choices) {
    const column = (): CsvColumn => ({
      dtype: choices.pick(['float32', 'int32', 'bool', 'string']),
      required: choices.rarely(2),
      isLabel: choices.rarely(3),
    });
    const table = readCsv(path!, {
      onBadRecord: choices.pick(['error', 'skip']),
      ...(choices.rarely(3) ? { columnConfigs: { a: column() } } : {}),
      ...(choices.rarely(4) ? { configuredColumnsOnly: true } : {}),
      ...(choices.rarely(4) ? { hasHeader: false, columnNames: ['a', 'b'] } : {}),
      ...(choices.rarely(8) ? { delimiter: choices.pick([';', '\t', '"', '\n', '\r\n', 'ab']) } : {}),
    });
    await table.toArray();
  },
};
