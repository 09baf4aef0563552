// From the lines that both sides of the GPU bench printed to results.json, a table and a roofline picture.
//   tsx bench/gpu/report.ts ROWS.json LINES.jsonl FOLDER
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './rows.js';
import { drawRoofline, type Point } from './roofline.js';

interface Line {
  readonly peer: string;
  readonly row: string;
  readonly mode: string;
  readonly ms?: number;
  readonly failed?: string;
  readonly device?: string;
  readonly version?: string;
}

const [rowsFile, linesFile, folder] = process.argv.slice(2) as [string, string, string];
const rows = JSON.parse(readFileSync(rowsFile, 'utf8')) as Row[];
const lines = readFileSync(linesFile, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .flatMap((line): Line[] => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      // Cut off when its part was stopped.
      return [];
    }
  });

const times = new Map<string, number>();
for (const { peer, row, mode, ms } of lines) if (ms !== undefined) times.set(`${peer} ${mode} ${row}`, ms);
const ours = (id: string): number | undefined => {
  const modes = [times.get(`selfnorm recorded ${id}`), times.get(`selfnorm eager ${id}`)];
  return modes.find((ms) => ms !== undefined);
};
const torch = (mode: string, id: string): number | undefined => times.get(`torch ${mode} ${id}`);
const quotient = (a: number | undefined, b: number | undefined): number | null =>
  a === undefined || b === undefined ? null : a / b;

/** GB/s. */
const speed = (row: Row, ms: number | undefined): number | null =>
  ms === undefined || row.bytes === 0 ? null : row.bytes / ms / 1e6;
const copyOf = (dtype: string): number => {
  const row = rows.find(({ id }) => id === `copy/${dtype}`);
  if (row === undefined) return NaN;
  return Math.max(...[ours(row.id), torch('eager', row.id)].map((ms) => speed(row, ms) ?? 0));
};
/** The plain product that a fused one is held against. */
const plainOf = (id: string): string =>
  id
    .replace('matmul+bias+selu', 'matmul')
    .replace(/conv\+bias\+elu(.*)\/both/, 'conv$1')
    .replace('conv+bias+elu', 'conv');

const report = rows.map((row) => {
  const ms = ours(row.id);
  const fused = row.kind === 'fusedMatmul' || row.kind === 'fusedConv';
  return {
    row: row.id,
    group: row.group,
    ms: ms ?? null,
    eagerMs: times.get(`selfnorm eager ${row.id}`) ?? null,
    torchMs: torch('eager', row.id) ?? null,
    torchCompiledMs: torch('compile', row.id) ?? null,
    gigabytesPerSecond: row.group === 'memory' ? speed(row, ms) : null,
    shareOfCopy: row.group === 'memory' ? quotient(speed(row, ms) ?? undefined, copyOf(row.dtype)) : null,
    teraflops: row.flops > 0 && ms !== undefined ? row.flops / ms / 1e9 : null,
    byPlainProduct: fused ? quotient(ms, ours(plainOf(row.id))) : null,
    byTorch: quotient(ms, torch('eager', row.id)),
    byTorchCompiled: quotient(ms, torch('compile', row.id)),
  };
});
const failures = lines.filter(({ failed }) => failed !== undefined);

mkdirSync(folder, { recursive: true });
const devices = [...new Set(lines.map(({ peer, version, device }) => `${peer} ${version ?? ''} on ${device ?? '?'}`))];
writeFileSync(join(folder, 'results.json'), `${JSON.stringify({ devices, report, failures }, null, 1)}\n`);

const show = (value: number | null, digits = 3): string =>
  value === null || Number.isNaN(value) ? '' : value.toPrecision(digits);
const columns = [
  'row',
  'ms',
  'eager',
  'PyTorch',
  'compiled',
  'GB/s',
  'of copy',
  'TFLOP/s',
  'by plain',
  'by PyTorch',
  'by compiled',
];
const table = report.map((one) =>
  [
    one.row,
    show(one.ms),
    show(one.eagerMs),
    show(one.torchMs),
    show(one.torchCompiledMs),
    show(one.gigabytesPerSecond, 4),
    show(one.shareOfCopy),
    show(one.teraflops),
    show(one.byPlainProduct),
    show(one.byTorch),
    show(one.byTorchCompiled),
  ].join(' | '),
);
const text = [
  `${devices.join('; ')}. Times in ms, ours recorded unless the column says eager; ratios below 1 are ours ahead.`,
  '',
  `| ${columns.join(' | ')} |`,
  `|---|${'--:|'.repeat(columns.length - 1)}`,
  ...table.map((cells) => `| ${cells} |`),
  ...(failures.length > 0 ? ['', 'Failed:', ''] : []),
  ...failures.map(({ peer, mode, row, failed }) => `- ${peer} ${mode ?? ''} ${row}: ${failed!}`),
  '',
].join('\n');
writeFileSync(join(folder, 'table.md'), text);
console.log(text);

const points = rows.flatMap((row): Point[] => {
  const ms = ours(row.id);
  if (ms === undefined || row.bytes === 0 || row.group === 'epoch') return [];
  // Elementwise work as one flop an element: it lies on the slope in any case.
  const flops = row.flops > 0 ? row.flops : row.bytes / 8;
  return [{ label: row.group, intensity: flops / row.bytes, teraflops: flops / ms / 1e9 }];
});
const bandwidth = copyOf('float32');
if (points.length > 0 && Number.isFinite(bandwidth)) {
  try {
    await drawRoofline(points, bandwidth, join(folder, 'roofline'));
  } catch (error) {
    // The drawing libraries do not travel with the bundle: the picture is made where they are.
    console.log(`no picture: ${error instanceof Error ? error.message : String(error)}`);
  }
}
