// Makes a fresh clone ready: system packages where apt-get is to be had, Node packages, the native build. Safe to run again:
// what is there is left alone. Says what it does before it does it.
//   node scripts/setup.mjs           what running needs
//   node scripts/setup.mjs --tests   and what the tests and the linter need
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const forTests = process.argv.includes('--tests');

const RUN_PACKAGES = ['g++', 'cmake', 'make', 'libdnnl-dev'];
const TEST_PACKAGES = ['libgtest-dev', 'clang-format', 'ninja-build', 'ccache', 'openmpi-bin', 'libopenmpi-dev'];

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.error) throw new Error(`${command}: ${done.error.message}`);
  return done.status ?? 1;
}

const answers = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

function installSystemPackages(wanted) {
  if (!answers('dpkg-query', ['--version'])) return;
  const missing = wanted.filter((name) => {
    const state = spawnSync('dpkg-query', ['-W', '-f=${Status}', name], { encoding: 'utf8' });
    return !state.stdout.includes('install ok installed');
  });
  if (missing.length === 0) return;
  const asRoot = process.getuid?.() === 0;
  const prefix = asRoot ? [] : answers('sudo', ['-n', 'true']) ? ['sudo', '-n'] : null;
  const command = `apt-get install -y ${missing.join(' ')}`;
  if (prefix === null) {
    console.log(`setup: not root, so these packages are left to you: sudo ${command}`);
    return;
  }
  console.log(`setup: ${command}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    run(prefix[0] ?? 'apt-get', [...prefix.slice(1), ...(prefix.length ? ['apt-get'] : []), ...args], { env });
  if (apt('install', '-y', '-qq', '--no-install-recommends', ...missing) === 0) return;
  // The package lists may be old or not there yet.
  apt('update', '-qq');
  if (apt('install', '-y', '-qq', '--no-install-recommends', ...missing) !== 0) {
    console.log(`setup: apt-get could not install ${missing.join(', ')}; going on without`);
  }
}

function installNodePackages() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('setup: npm install');
  if (run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']) !== 0) process.exit(1);
}

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`setup: Node.js 20 or newer is needed, this is ${process.versions.node}`);
  process.exit(1);
}
installSystemPackages(forTests ? [...RUN_PACKAGES, ...TEST_PACKAGES] : RUN_PACKAGES);
installNodePackages();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
console.log(`setup: building selfnorm ${version}`);
process.exit(run(process.execPath, ['scripts/install.mjs']));
