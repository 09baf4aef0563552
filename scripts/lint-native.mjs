// Lints the C++ and CUDA sources: clang-format, and the rules of the single-source kernels that no compiler checks.
// `--fix` formats in place.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const FOLDERS = ['binding', 'cpu', 'cuda', 'test/native', 'test/plans', 'test/formulas'];
const SOURCE = /\.(h|cc|cu|cuh)$/;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name)),
);

/** What only one file may say, and why. */
const RULES = [
  {
    pattern: /\b(threadIdx|blockIdx|blockDim|gridDim)\b/,
    // The second writes them into the text of kernels that only a GPU runs.
    only: ['range.h', 'formula_source.cc'],
    why: 'only range.h names CUDA indices: reading them in a loop keeps the CPU build from vectorising',
  },
  { pattern: /__CUDACC__/, only: ['portable.h'], why: 'only portable.h asks which compiler is running' },
  { pattern: /\batomicAdd\b/, only: [], why: 'no atomics: results must not depend on the order of threads' },
  { pattern: /\bstd::(fmin|fmax)\b|\bf(min|max)f?\(/, only: [], why: 'fmin and fmax lose NaN: compare and select' },
];

const problems = [];
for (const file of files) {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.forEach((line, index) => {
    const code = line.replace(/\/\/.*$|\/?\*\*?\s.*$/, '');
    for (const { pattern, only, why } of RULES) {
      if (pattern.test(code) && !only.includes(basename(file))) problems.push(`${file}:${index + 1}: ${why}`);
    }
  });
}

const fix = process.argv.includes('--fix');
const format = spawnSync('clang-format', [fix ? '-i' : '--dry-run', '-Werror', ...files], { encoding: 'utf8' });
if (format.error) problems.push('clang-format: not found; install it, for example: apt-get install clang-format');
else if (format.status !== 0) problems.push(format.stderr.trim());

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
