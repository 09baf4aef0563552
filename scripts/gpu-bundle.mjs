// Writes .gpu-bundle/: all that a Linux box with a GPU and the CUDA libraries needs to run the tests and benches there,
// Node.js included. Nothing is built or fetched on that box. Under 60 MB, so that it can be copied anywhere.
//   npm run build && npm run gpu:bundle, then there: bash run.sh OUTDIR
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bundle = join(root, '.gpu-bundle');
const LIMIT = 60e6;

/** What running the suite and the benches takes of node_modules, with all that these need. */
const PACKAGES = ['vitest', 'tsx', 'benny', 'fast-check', 'commander', 'csv-parse', 'cli-progress'];
// Of what a package may bring for many platforms only the one that is installed here is packed; these are never asked for.
const UNUSED = /^(lightningcss|fsevents|typescript$)/;
/** Sources the box has no use for: what packs, builds and lints, and tests of what runs on no device. */
const LEFT_OUT =
  /^(test\/(native|package|native-loading|data|report|cli|experiments|fixtures\/families)\b|bench\/results|\.ci|\.github|package-lock\.json)/;
/** Libraries that every Linux with Node.js has. */
const SYSTEM = /^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.)/;

function fail(message) {
  console.error(`gpu:bundle: ${message}`);
  process.exit(1);
}

function closure(names) {
  const found = new Map();
  const queue = names.map((name) => [name, true]);
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [name, needed] = next;
    if (found.has(name) || UNUSED.test(name)) continue;
    const folder = join(root, 'node_modules', name);
    if (!existsSync(join(folder, 'package.json'))) {
      if (needed) fail(`node_modules/${name} is missing; run: npm ci`);
      continue;
    }
    found.set(name, folder);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    for (const dependency of Object.keys(dependencies)) queue.push([dependency, !(dependency in optionalDependencies)]);
    for (const dependency of Object.keys(optionalDependencies)) queue.push([dependency, false]);
  }
  return found;
}

// Nested copies of packages are part of their folder; sources, maps and types are not run.
const isRun = (path) => !/\.(map|d\.ts|d\.cts|d\.mts|md)$/.test(path);

/** Shared libraries that an addon needs and the box may lack, oneDNN above all. */
function librariesOf(file) {
  const lines = execFileSync('ldd', [file], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => /^\s*(\S+) => (\/\S+)/.exec(line))
    .filter((match) => match !== null && !SYSTEM.test(match[1]))
    .map(([, name, path]) => ({ name, path: realpathSync(path) }));
}

function compress(input) {
  const done = spawnSync('xz', ['-T0', '-6', '--stdout', input], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
    encoding: 'buffer',
  });
  if (done.status !== 0) fail(`xz: ${done.error?.message ?? `exit code ${done.status}`}; install xz-utils`);
  return done.stdout;
}

const addons = ['cpu', 'cuda'].map((kind) => join(root, 'build', 'Release', `selfnorm_${kind}.node`));
if (!existsSync(addons[0])) fail('the addons are not built; run: npm run build');
if (!existsSync(addons[1]))
  console.log('gpu:bundle: no CUDA addon: this bundle can only show that it runs (SELFNORM_CUDA=ON builds one)');
if (!existsSync(join(root, 'dist', 'index.cjs'))) fail('dist is not built; run: npm run build:js');

const stage = mkdtempSync(join(tmpdir(), 'selfnorm-bundle-'));
try {
  const tree = join(stage, 'selfnorm');
  const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n');
  for (const file of tracked) {
    const from = join(root, file);
    if (LEFT_OUT.test(file) || !existsSync(from) || !statSync(from).isFile()) continue;
    mkdirSync(join(tree, dirname(file)), { recursive: true });
    copyFileSync(from, join(tree, file));
  }
  cpSync(join(root, 'dist'), join(tree, 'dist'), { recursive: true, filter: isRun });
  mkdirSync(join(tree, 'build', 'Release'), { recursive: true });
  mkdirSync(join(tree, 'lib'));
  for (const addon of addons.filter(existsSync)) {
    copyFileSync(addon, join(tree, 'build', 'Release', basename(addon)));
    const facts = addon.replace(/\.node$/, '.json');
    if (existsSync(facts)) copyFileSync(facts, join(tree, 'build', 'Release', basename(facts)));
  }
  for (const { name, path } of librariesOf(addons[0])) copyFileSync(path, join(tree, 'lib', name));
  for (const [name, folder] of closure(PACKAGES)) {
    cpSync(folder, join(tree, 'node_modules', name), { recursive: true, dereference: true, filter: isRun });
  }
  const tar = join(stage, 'tree.tar');
  execFileSync('tar', ['-cf', tar, '--owner=0', '--group=0', '-C', stage, 'selfnorm']);

  rmSync(bundle, { recursive: true, force: true });
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'tree.tar.xz'), compress(tar));
  writeFileSync(join(bundle, 'node.xz'), compress(process.execPath));
  copyFileSync(join(root, 'scripts', 'gpu-bundle', 'run.sh'), join(bundle, 'run.sh'));
  const sizes = ['tree.tar.xz', 'node.xz', 'run.sh'].map((file) => [file, statSync(join(bundle, file)).size]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const megabytes = (size) => `${(size / 1e6).toFixed(1)} MB`;
  console.log(
    `gpu:bundle: .gpu-bundle/ ${megabytes(total)}: ${sizes.map(([file, size]) => `${file} ${megabytes(size)}`).join(', ')}`,
  );
  if (total > LIMIT) fail(`expected at most ${megabytes(LIMIT)}`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
