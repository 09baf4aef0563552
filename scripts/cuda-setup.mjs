// Puts the CUDA libraries that selfnorm needs into .cuda/ of the current folder, from NVIDIA's Python packages by pip, so that
// neither root nor an account is needed. Where there is no CUDA toolkit, its compiler comes along; with --tools also
// cuobjdump, which check:kernels reads code with.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(process.cwd(), '.cuda');

function fail(message) {
  console.error(`cuda:setup: ${message}`);
  process.exit(1);
}

const answer = (command, args) => spawnSync(command, args, { encoding: 'utf8' });

/** The version of the CUDA toolkit on this machine, outside .cuda/, as [major, minor]; undefined where there is none. */
function toolkitVersion() {
  const homes = [process.env.CUDA_HOME, process.env.CUDA_PATH, process.env.CONDA_PREFIX, '/usr/local/cuda'];
  const compilers = ['nvcc', ...homes.filter(Boolean).map((home) => join(home, 'bin', 'nvcc'))];
  for (const compiler of compilers) {
    const match = /release (\d+)\.(\d+)/.exec(answer(compiler, ['--version']).stdout ?? '');
    if (match && (match[1] === '12' || match[1] === '13')) return [Number(match[1]), Number(match[2])];
  }
  return undefined;
}

// NVIDIA's packages for CUDA 13 carry no suffix, but for cuDNN.
function packagesFor(major) {
  const suffix = major === 12 ? '-cu12' : '';
  const range = `>=${major},<${major + 1}`;
  return [
    `nvidia-cudnn-cu${major}>=9,<10`,
    `nvidia-cublas${suffix}${range}`,
    `nvidia-cuda-nvrtc${suffix}${range}`,
    `nvidia-curand${suffix}`,
  ];
}

const COMPILER_PACKAGES = ['nvidia-cuda-nvcc', 'nvidia-cuda-runtime', 'nvidia-cuda-cccl'].map(
  (name) => `${name}>=13,<14`,
);

if (process.platform !== 'linux') fail('CUDA is supported on Linux only');
const python = ['python3', 'python'].find((name) => answer(name, ['--version']).status === 0);
if (python === undefined) fail('python3 with pip is needed; install with: apt-get install python3 python3-pip');
if (answer(python, ['-m', 'pip', '--version']).status !== 0) {
  fail(`${python} has no pip; install with: apt-get install python3-pip`);
}

const toolkit = toolkitVersion();
const major = toolkit?.[0] ?? 13;
// Triton's wheel is the one that carries cuobjdump.
const tools = process.argv.includes('--tools') ? ['triton'] : [];
const packages = [...packagesFor(major), ...(toolkit === undefined ? COMPILER_PACKAGES : []), ...tools];
const found =
  toolkit === undefined ? 'no CUDA toolkit found, so its compiler comes too' : `for CUDA toolkit ${toolkit.join('.')}`;
console.log(`cuda:setup: ${found}`);
const driverFile = '/sys/module/nvidia/version';
if (major === 13 && existsSync(driverFile) && Number.parseInt(readFileSync(driverFile, 'utf8'), 10) < 580) {
  console.log(
    'cuda:setup: CUDA 13 needs NVIDIA driver 580 or newer: update the driver, or install the CUDA toolkit 12',
  );
}
console.log(`cuda:setup: pip installs into ${relative(process.cwd(), target)}/ (about 2 GB): ${packages.join(' ')}`);

// --target leaves the Python installation alone. One index that does not answer must not hold up the others.
const pip = spawnSync(
  python,
  ['-m', 'pip', 'install', '--upgrade', '--only-binary', ':all:', '--target', target, ...packages],
  { stdio: 'inherit', env: { PIP_RETRIES: '0', ...process.env } },
);
if (pip.status !== 0) fail('pip could not install the packages; its last lines say why');

const nvidia = join(target, 'nvidia');
const has = (name) => readdirSync(nvidia).some((folder) => existsSync(join(nvidia, folder, 'lib', name)));
for (const name of ['libcudnn_graph.so.9', `libcublasLt.so.${major}`, `libnvrtc.so.${major}`]) {
  if (!has(name)) fail(`pip ended well but ${name} is not in ${target}`);
}
const next = root === process.cwd() ? 'npm run build:native' : 'npx selfnorm build';
console.log(`cuda:setup: done; now build with: ${next}`);
