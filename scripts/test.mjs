// All tests, from a fresh clone: sets up, then runs the native tests (kernels in the emulator under AddressSanitizer with
// UndefinedBehaviorSanitizer and under ThreadSanitizer, float functions as each CPU level compiles them), the TypeScript
// tests, and tfjs-core's conformance suite on the tfjs backend. The last line counts them.
//   npm test                 everything
//   npm test -- <pattern>    TypeScript tests whose file or name fits
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const patterns = process.argv.slice(2);
const generator = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
let passed = 0;
let failed = 0;

function run(command, args, env = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (done.error) console.error(`test: ${command}: ${done.error.message}`);
  return done.status ?? 1;
}

function must(command, args) {
  if (run(command, args) === 0) return;
  console.error(`test: stopped: ${command} ${args.join(' ')}`);
  process.exit(1);
}

// A GoogleTest report counts tests, failures and errors in its first element.
function countNative(report) {
  const head = /<testsuites tests="(\d+)" failures="(\d+)"[^>]*errors="(\d+)"/.exec(readFileSync(report, 'utf8'));
  const [tests, failures, errors] = head.slice(1).map(Number);
  passed += tests - failures - errors;
  failed += failures + errors;
}

/** Runs a test program and counts what it reports. `env` may ask for a part of its tests. */
async function runNative(build, executable, env, report) {
  const args = ['--gtest_brief=1', `--gtest_output=xml:${report}`];
  const child = spawn(join(root, build, executable), args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const status = await new Promise((resolve) => {
    child.on('error', ({ message }) => {
      console.error(`test: ${executable}: ${message}`);
      resolve(1);
    });
    child.on('close', resolve);
  });
  if (existsSync(report)) countNative(report);
  if (status !== 0 && failed === 0) failed += 1;
}

/** The parts that a program's tests are run in, all at once: one for each processor. */
function parts(count) {
  return Array.from({ length: count }, (_, index) => ({
    GTEST_TOTAL_SHARDS: String(count),
    GTEST_SHARD_INDEX: String(index),
  }));
}

async function nativeTests(scratch) {
  const processors = availableParallelism();
  // Without a sanitizer only what they would keep from vectorising is built: they see the rest no worse.
  for (const [sanitizer, executables] of [
    ['none', ['math_tests_v2', 'math_tests_v3', 'math_tests_v4']],
    ['address', ['native_tests']],
    ['thread', ['native_tests']],
  ]) {
    const build = `build-native-${sanitizer}`;
    console.log(`test: native tests, sanitizer: ${sanitizer}`);
    must('cmake', ['-S', '.', '-B', build, ...generator, '-DSELFNORM_TESTS=ON', `-DSELFNORM_SANITIZE=${sanitizer}`]);
    // Other processors than x86-64 have no levels.
    const targets = executables.filter((name) => name === 'native_tests' || process.arch === 'x64');
    if (targets.length === 0) continue;
    must('cmake', ['--build', build, '--parallel', String(processors), '--target', ...targets]);
    const runs = targets.flatMap((name) =>
      (targets.length === 1 ? parts(Math.min(processors, 4)) : [{}]).map((env, part) =>
        runNative(build, name, env, join(scratch, `${build}-${name}-${part}.xml`)),
      ),
    );
    await Promise.all(runs);
  }
}

/** tfjs-core's conformance suite on the tfjs backend. */
function tfjsTests(scratch) {
  const report = join(scratch, 'tfjs.json');
  const status = run(process.execPath, ['scripts/test-tfjs.mjs', '--report', report]);
  const counted = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 };
  passed += counted.passed;
  failed += counted.failed;
  if (status !== 0 && counted.failed === 0) failed += 1;
}

function typescriptTests(scratch) {
  const report = join(scratch, 'vitest.json');
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const status = run('npx', ['vitest', 'run', ...reporters, ...patterns]);
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests;
  if (status !== 0 && numFailedTests === 0) failed += 1;
}

const scratch = mkdtempSync(join(tmpdir(), 'selfnorm-test-'));
try {
  must(process.execPath, ['scripts/setup.mjs', '--tests']);
  must('npm', ['run', '--silent', 'build:js']);
  if (patterns.length === 0) await nativeTests(scratch);
  typescriptTests(scratch);
  if (patterns.length === 0) tfjsTests(scratch);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
