// Writes the GPU bench's rows for both sides to read.
//   tsx bench/gpu/write-rows.ts FILE [--short] [--group memory|product|dispatch|epoch]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FULL, rows, SHORT } from './rows.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, group: { type: 'string' } },
});
const all = rows(values.short ? SHORT : FULL);
const chosen = values.group === undefined ? all : all.filter(({ group }) => group === values.group);
writeFileSync(positionals[0]!, JSON.stringify(chosen));
