// All tests, from a fresh clone: sets up, then runs the native tests (plain, under AddressSanitizer with
// UndefinedBehaviorSanitizer, and under ThreadSanitizer) and the TypeScript tests. The last line counts them.
//   npm test                 everything
//   npm test -- <pattern>    TypeScript tests whose file or name fits
import { spawnSync } from 'node:child_process';
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

function runNative(build, executable, scratch) {
  const report = join(scratch, `${build}-${executable}.xml`);
  const status = run(join(root, build, executable), ['--gtest_brief=1', `--gtest_output=xml:${report}`]);
  if (existsSync(report)) countNative(report);
  if (status !== 0 && failed === 0) failed += 1;
}

function nativeTests(scratch) {
  for (const sanitizer of ['none', 'address', 'thread']) {
    const build = `build-native-${sanitizer}`;
    console.log(`test: native tests, sanitizer: ${sanitizer}`);
    must('cmake', ['-S', '.', '-B', build, ...generator, '-DSELFNORM_TESTS=ON', `-DSELFNORM_SANITIZE=${sanitizer}`]);
    must('cmake', ['--build', build, '--parallel', String(availableParallelism())]);
    runNative(build, 'native_tests', scratch);
    if (sanitizer !== 'none') continue;
    for (const level of ['v2', 'v3', 'v4']) {
      if (existsSync(join(root, build, `math_tests_${level}`))) runNative(build, `math_tests_${level}`, scratch);
    }
  }
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
  if (patterns.length === 0) nativeTests(scratch);
  typescriptTests(scratch);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
