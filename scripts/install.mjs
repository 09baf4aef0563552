// Builds the native addons for this machine: npm's install script, and `selfnorm build`. Says in one sentence what is missing;
// the compiler's own words go to build/selfnorm-build.log. Environment: SELFNORM_CUDA, SELFNORM_ONEDNN, SELFNORM_MPI (AUTO, ON, OFF),
// SELFNORM_CUDA_ARCHS, SELFNORM_CPU_LEVELS (lists with ';'), SELFNORM_SKIP_BUILD=1 builds nothing.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const build = join(root, 'build');
const logFile = join(build, 'selfnorm-build.log');

/** An expected failure: its message is all that is printed. */
class BuildError extends Error {}

const onPath = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));

const SETTINGS = {
  SELFNORM_CUDA: ['AUTO', 'ON', 'OFF'],
  SELFNORM_ONEDNN: ['AUTO', 'ON', 'OFF'],
  SELFNORM_MPI: ['AUTO', 'ON', 'OFF'],
  SELFNORM_CUDA_ARCHS: null,
  SELFNORM_CPU_LEVELS: null,
};

/** The settings of the build from the environment; '' where CMakeLists.txt decides. */
function readSettings() {
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([name, allowed]) => {
      const value = process.env[name] ?? '';
      if (allowed === null || value === '') return [name, value || (allowed?.[0] ?? '')];
      if (allowed.includes(value.toUpperCase())) return [name, value.toUpperCase()];
      throw new BuildError(`${name}: expected ${allowed.join(', ')}, got ${value}`);
    }),
  );
}

function findCompiler() {
  const named = process.env.CXX;
  const compiler = named || ['c++', 'g++', 'clang++'].find(onPath);
  const missing = [
    ...(compiler ? [] : ['g++']),
    ...(onPath('cmake') ? [] : ['cmake']),
    ...(onPath('ninja') || onPath('make') ? [] : ['make']),
  ];
  if (missing.length > 0) {
    const names = { 'g++': 'a C++20 compiler', cmake: 'CMake', make: 'make or ninja' };
    throw new BuildError(
      `building the native addons needs ${missing.map((name) => names[name]).join(', ')}; install with: apt-get install ${missing.join(' ')}`,
    );
  }
  return compiler;
}

function checkVersions(compiler) {
  const cmake = /cmake version (\d+)\.(\d+)/.exec(spawnSync('cmake', ['--version'], { encoding: 'utf8' }).stdout ?? '');
  if (cmake && Number(cmake[1]) * 1000 + Number(cmake[2]) < 3020) {
    throw new BuildError(
      `CMake 3.20 or newer is needed, this is ${cmake[1]}.${cmake[2]}; install with: pip install cmake`,
    );
  }
  // Setting CXX may name flags or a launcher as well, so a shell reads it.
  const test = spawnSync('sh', ['-c', `${compiler} -std=c++20 -x c++ -fsyntax-only -`], {
    input: '#include <concepts>\n#include <span>\nstatic_assert(std::integral<int>);\n',
    encoding: 'utf8',
  });
  if (test.status !== 0) {
    throw new BuildError(`${compiler} does not compile C++20; install g++ 11 or newer, or set CXX to one`);
  }
}

// A cache of another folder, another generator, or with a setting that is no longer there would win over what is asked for.
function dropStaleCache(settings, generator) {
  const file = join(build, 'CMakeCache.txt');
  if (!existsSync(file)) return;
  const cache = readFileSync(file, 'utf8');
  const value = (name) => new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(cache)?.[1];
  const wanted = { CMAKE_GENERATOR: generator, CMAKE_HOME_DIRECTORY: root, SELFNORM_TESTS: 'OFF', ...settings };
  const stale = Object.entries(wanted).some(([name, expected]) => (value(name) ?? expected) !== expected);
  if (!stale) return;
  rmSync(file);
  rmSync(join(build, 'CMakeFiles'), { recursive: true, force: true });
}

// Compiling a kernel file takes up to 2 GB.
function jobCount() {
  const asked = Number(process.env.CMAKE_BUILD_PARALLEL_LEVEL);
  if (asked >= 1) return asked;
  const limit = process.constrainedMemory?.() ?? 0;
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / 2 ** 31)));
}

/** Runs cmake-js with its output in the log; resolves to the exit code. On a terminal, one line shows how far it is. */
function cmakeJs(args, log) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [require.resolve('cmake-js/bin/cmake-js'), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk) => {
      writeSync(log, chunk);
      const step = /\[ *\d+(?:%|\/\d+)\][^\n]*/.exec(chunk)?.[0];
      if (step && process.stdout.isTTY)
        process.stdout.write(`\r\x1b[K${step.slice(0, (process.stdout.columns ?? 80) - 1)}`);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
    child.on('error', reject);
    child.on('close', (code) => {
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
      resolve(code ?? 1);
    });
  });
}

/** What to say of a failed build: CMake's own sentence where it has one, else the end of the log. */
function explainFailure(configured) {
  const log = readFileSync(logFile, 'utf8');
  const said = /CMake Error at [^\n]*:\n\s*\n?((?: +[^\n]*\n)+)/.exec(log)?.[1];
  const where = `log: ${relative(process.cwd(), logFile) || logFile}`;
  if (!configured && said) return `${said.trim().replace(/\s*\n\s*/g, ' ')} (${where})`;
  // nvcc names the registers of every kernel; the first error says more than the end of all that.
  const lines = log.split('\n').filter((line) => line !== '' && !/ptxas info|bytes stack frame|ERROR OMG/.test(line));
  const error = lines.findIndex((line) => /\b(error|Error|fatal)\b.*:/.test(line));
  const shown = error < 0 ? lines.slice(-15) : lines.slice(error, error + 15);
  return `the build failed:\n${shown.join('\n')}\n(${where})`;
}

async function install() {
  if (process.env.SELFNORM_SKIP_BUILD === '1') {
    console.log(
      'selfnorm: SELFNORM_SKIP_BUILD=1: the native addons are not built; build them with: npx selfnorm build',
    );
    return;
  }
  const settings = readSettings();
  const compiler = findCompiler();
  checkVersions(compiler);
  const generator = onPath('ninja') ? 'Ninja' : 'Unix Makefiles';
  dropStaleCache(settings, generator);
  mkdirSync(build, { recursive: true });
  const options = Object.entries({
    ...settings,
    SELFNORM_NODE_ADDON_API_DIR: dirname(require.resolve('node-addon-api/package.json')),
  })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `--CD${name}=${value}`);
  // cmake-js looks for g++ and clang++ only.
  const compilers = onPath('g++') || onPath('clang++') ? [] : ['--cc', process.env.CC || 'cc', '--cxx', compiler];
  const jobs = jobCount();
  console.log(`selfnorm: building the native addons with ${compiler} (${jobs} at a time; this takes minutes)`);
  const log = openSync(logFile, 'w');
  try {
    const args = ['-G', generator, ...compilers, ...options];
    if ((await cmakeJs(['configure', ...args], log)) !== 0) throw new BuildError(explainFailure(false));
    if ((await cmakeJs(['build', '--parallel', String(jobs)], log)) !== 0) throw new BuildError(explainFailure(true));
  } finally {
    closeSync(log);
  }
  const report = join(build, 'selfnorm-report.txt');
  if (existsSync(report)) console.log(readFileSync(report, 'utf8').trimEnd().replace(/^/gm, 'selfnorm: '));
}

try {
  await install();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`selfnorm: ${error.message}`);
  process.exitCode = 1;
}
