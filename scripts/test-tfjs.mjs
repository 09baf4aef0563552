// tfjs-core's own conformance suite on the tfjs backend: bundles it, runs it, holds it against the list of exceptions.
//   node scripts/test-tfjs.mjs [--report <file>]    the file gets {"passed": n, "failed": n}
// Fails when a spec fails that is not listed, when a listed one passes, and when fewer kernels than promised are native.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { exceptions } from '../test/tfjs/conformance/exceptions.mjs';

const LEAST_NATIVE = 120;
const MOST_EXCEPTIONS = 10;
/** So that a suite that lost its specs does not pass. */
const LEAST_SPECS = 4000;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reportTo = process.argv.indexOf('--report');

/** Runs the suite in a process of its own; gives its report. */
async function runSuite(scratch) {
  const bundle = join(scratch, 'suite.cjs');
  const here = pathToFileURL(join(root, 'src', 'tfjs', 'index.ts')).href;
  await build({
    entryPoints: [join(root, 'test/tfjs/conformance/main.mjs')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // The sources, not the built files: the suite and the backend must share one tfjs-core.
    mainFields: ['module', 'main'],
    // tfjs-core says that its files have no side effects; its tests have nothing else.
    ignoreAnnotations: true,
    logLevel: 'error',
    // The addon is found from the package's folder, not from the bundle's.
    define: { 'import.meta.url': JSON.stringify(here) },
  });
  const report = join(scratch, 'report.json');
  const ran = spawnSync(process.execPath, [bundle], {
    cwd: root,
    env: { ...process.env, SELFNORM_DEVICE: 'cpu', SELFNORM_REPORT: report },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    console.error(ran.stdout.slice(-2000), ran.stderr);
    throw new Error('test-tfjs: the suite did not end');
  }
}

/** What is wrong with a report, a line each. */
function faultsOf({ kernels, unsorted, passed, failures }) {
  const faults = failures
    .filter(({ name }) => !(name in exceptions))
    .map(({ name, messages }) => `${name}: ${messages[0]}`);
  const failed = new Set(failures.map(({ name }) => name));
  for (const name of Object.keys(exceptions)) if (!failed.has(name)) faults.push(`${name}: is listed and passes`);
  if (Object.keys(exceptions).length > MOST_EXCEPTIONS) faults.push(`more than ${MOST_EXCEPTIONS} exceptions`);
  if (kernels.native.length < LEAST_NATIVE) faults.push(`fewer than ${LEAST_NATIVE} native kernels`);
  if (passed < LEAST_SPECS) faults.push(`fewer than ${LEAST_SPECS} specs`);
  if (unsorted.length > 0) faults.push(`kernels that are neither native nor the host's: ${unsorted.join(', ')}`);
  return faults;
}

const scratch = mkdtempSync(join(tmpdir(), 'selfnorm-tfjs-'));
try {
  const report = await runSuite(scratch);
  const faults = faultsOf(report);
  const { kernels, passed, leftOut } = report;
  const listed = Object.keys(exceptions).length;
  console.log(`tfjs: ${kernels.native.length} kernels native, ${kernels.host.length} on the host`);
  console.log(`tfjs: ${passed} specs passed, ${listed} exceptions, ${leftOut.length} left out by the suite itself`);
  for (const [name, reason] of Object.entries(exceptions)) console.log(`  exception: ${name}: ${reason}`);
  for (const fault of faults) console.error(`  FAULT: ${fault}`);
  if (reportTo > 0) writeFileSync(process.argv[reportTo + 1], JSON.stringify({ passed, failed: faults.length }));
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
