// Fuzzes a reader of files with libFuzzer, through Jazzer.js. The sources become CommonJS files of their own, so that coverage is told by
// file; what the fuzzer finds grows in build-fuzz/corpus/<reader>, beginning with fuzz/corpus/<reader>.
//   npm run fuzz -- <reader> [--seconds 600]    an input that fails is kept in build-fuzz/crashes/
//   npm run fuzz -- <reader> --input FILE       one input again
//   npm run fuzz -- <reader> --keep             the fewest inputs with all the coverage replace fuzz/corpus/<reader>
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzerEnvironment } from './fuzz-library.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const home = join(root, 'build-fuzz');
/** Larger than any file of the corpus; most formats show all they have in less. */
const LONGEST_INPUT = 8192;
/** Milliseconds for one input. */
const HANG = 30_000;
const MEMORY_MIB = 2048;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '600' },
    input: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const [reader] = positionals;
const readers = readdirSync(join(root, 'fuzz', 'corpus'));
if (positionals.length !== 1 || !readers.includes(reader) || !(Number(options.seconds) > 0)) {
  console.error(`usage: npm run fuzz -- <${readers.join('|')}> [--seconds 600] [--input FILE] [--keep]`);
  process.exit(2);
}

// A folder for each reader, so that several can be fuzzed at once.
const built = join(home, 'programs', reader);

async function translate() {
  const sources = ['src', 'fuzz'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(root, folder, file)),
  );
  const common = { format: 'cjs', platform: 'node', target: 'node20', logLevel: 'error' };
  await build({
    ...common,
    entryPoints: sources,
    outbase: root,
    outdir: built,
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
  // The decoding threads have a program of their own.
  await build({
    ...common,
    entryPoints: [join(root, 'src/data/images/decode-worker.ts')],
    outfile: join(built, 'src/data/images/decode-worker.cjs'),
    bundle: true,
    external: ['sharp'],
  });
  writeFileSync(join(built, 'package.json'), '{ "type": "commonjs" }\n');
}

function jazzer(args, fuzzerArgs) {
  const program = join(root, 'node_modules/@jazzer.js/core/dist/cli.js');
  const { NODE_OPTIONS = '', ...environment } = fuzzerEnvironment(built);
  const child = spawn(
    process.execPath,
    [program, join(built, 'fuzz/entry.js'), ...args, '--timeout', String(HANG), '--', ...fuzzerArgs],
    {
      cwd: built,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...environment,
        NODE_OPTIONS: `--no-warnings ${NODE_OPTIONS}`,
        SELFNORM_FUZZ_READER: reader,
        OMP_NUM_THREADS: '1',
      },
    },
  );
  return new Promise((resolve) => child.on('close', (status, signal) => resolve(signal === null ? status : 1)));
}

const kept = join(root, 'fuzz', 'corpus', reader);
const working = join(home, 'corpus', reader);
const crashes = join(home, 'crashes', `${reader}-`);
mkdirSync(working, { recursive: true });
mkdirSync(dirname(crashes), { recursive: true });
if (options.input === undefined && !options.keep) {
  for (const name of readdirSync(dirname(crashes)))
    if (name.startsWith(`${reader}-`)) rmSync(join(dirname(crashes), name));
}
await translate();
const limits = [`-max_len=${LONGEST_INPUT}`, `-rss_limit_mb=${MEMORY_MIB}`, `-artifact_prefix=${crashes}`];
const instrumented = ['--includes', join(built, 'src'), '--includes', join(built, 'fuzz')];
if (options.input !== undefined) {
  process.exitCode = await jazzer([...instrumented], [...limits, '-runs=1', options.input]);
} else if (options.keep) {
  const fewest = join(home, 'fewest', reader);
  rmSync(fewest, { recursive: true, force: true });
  mkdirSync(fewest, { recursive: true });
  process.exitCode = await jazzer([fewest, working, kept, ...instrumented], [...limits, '-merge=1']);
  if (process.exitCode === 0 && existsSync(fewest)) {
    rmSync(kept, { recursive: true, force: true });
    cpSync(fewest, kept, { recursive: true });
  }
} else {
  const time = [`-max_total_time=${options.seconds}`, '-print_final_stats=1'];
  await jazzer([working, kept, ...instrumented], [...limits, ...time]);
  // Jazzer.js ends with 0 whatever it finds.
  const found = readdirSync(dirname(crashes)).filter(
    (name) => name.startsWith(`${reader}-`) && !name.includes('slow-unit'),
  );
  for (const name of found) console.error(`fuzz: ${reader}: an input that fails: ${join(dirname(crashes), name)}`);
  if (found.length > 0) process.exitCode = 1;
}
