// Makes the plans of cuDNN that the experiments need, for an H200 and an A100 that need not be there, and holds them against
// the tables of test/plans/: a fused kernel that a change of ours, or a new cuDNN, loses is a failure here and not a slow run
// on somebody's GPU. Needs a CUDA build (npm run build:native); each plan compiles a kernel, which takes up to a second.
//   node scripts/check-plans.mjs [build folder]
//   node scripts/check-plans.mjs            a part that shows each kind of graph
//   node scripts/check-plans.mjs --full     all of the tables: ten minutes or so for each device
//   node scripts/check-plans.mjs --write    all of it, and the tables made anew
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const DEVICES = ['h200', 'a100'];
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const unknown = options.filter((option) => option !== '--full' && option !== '--write');
const build = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? 'build';

function stop(message) {
  console.error(`check:plans: ${message}`);
  process.exit(1);
}

if (unknown.length > 0) stop(`expected --full or --write, got ${unknown.join(' ')}`);
if (!existsSync(join(build, 'plans', 'library-path.txt'))) {
  stop(`${build}/ is no CUDA build; make one: npm run cuda:setup && SELFNORM_CUDA=ON npm run build:native`);
}
const made = spawnSync('cmake', ['--build', build, '--target', 'check_plans'], { encoding: 'utf8' });
if (made.status !== 0) stop(`check_plans does not build:\n${made.stdout ?? ''}${made.stderr ?? made.error}`);

const libraryPath = readFileSync(join(build, 'plans', 'library-path.txt'), 'utf8').trim();
const tableOf = (device) => join('test', 'plans', `${device}.txt`);

/** Resolves to the exit code and, where tables are made, the table's lines. */
function plan(device) {
  return new Promise((resolve, reject) => {
    const child = spawn(join(build, 'plans', 'check_plans'), [device, tableOf(device), ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // The stub comes first, also where there is a driver: what is planned does not depend on the machine.
      env: { ...process.env, LD_LIBRARY_PATH: libraryPath, NVIDIA_TF32_OVERRIDE: '' },
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ device, code: code ?? 1, text }));
  });
}

const results = [];
if (availableParallelism() > 1) results.push(...(await Promise.all(DEVICES.map(plan))));
else for (const device of DEVICES) results.push(await plan(device));

for (const { device, code, text } of results) {
  if (code === 0 && options.includes('--write')) {
    const head = `# The plans that cuDNN has for this device, made by: npm run check:plans -- --write\n`;
    writeFileSync(tableOf(device), head + text.split('\n').filter(Boolean).sort().join('\n') + '\n');
    console.log(`check:plans: ${tableOf(device)}: ${text.split('\n').length - 1} graphs`);
  } else {
    process.stdout.write(text);
  }
  if (code !== 0) process.exitCode = 1;
}
