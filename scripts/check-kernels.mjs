// Judges the machine code of a CUDA build from what ptxas said of it (cuda/compile.sh keeps that beside each object): no kernel
// spills registers or has a stack frame, no compiler warned. With cuobjdump at hand it also reads the code of a few streaming
// kernels: each must move 16 bytes at a time.
//   node scripts/check-kernels.mjs [build folder]
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const build = process.argv[2] ?? 'build';
const objects = join(build, 'cuda', 'CMakeFiles', 'selfnorm_cuda.dir', 'ops');

/** Kernels that may have a stack frame or spill, each with the reason; a pattern of the mangled name. */
const ALLOWED = [];

const name = (part) => `${part.length}${part}`;
const map = (functor, width, types) => new RegExp(`map_kernelILi${width}E${functor}${types}E`);
const forward = (activation) => `NS0_${name('ActivationForward')}INS0_${name(activation)}EEE`;
const HALF = 'NS_8bfloat16EJS\\d_E';

/** The kernels whose loads and stores must be 16 bytes wide. */
const STREAMING = [
  { what: 'relu float32', source: 'activations', kernel: map(forward('Relu'), 4, 'fJfE') },
  { what: 'relu bfloat16', source: 'activations', kernel: map(forward('Relu'), 8, HALF) },
  { what: 'selu float32', source: 'activations', kernel: map(forward('Selu'), 4, 'fJfE') },
  { what: 'selu bfloat16', source: 'activations', kernel: map(forward('Selu'), 8, HALF) },
  { what: 'add float32', source: 'binary', kernel: map('NS0_3AddE', 4, 'fJffE') },
  { what: 'add bfloat16', source: 'binary', kernel: map('NS0_3AddE', 8, 'NS_8bfloat16EJS\\d_S\\d_E') },
];

const problems = [];

/** Every kernel of a report, once an architecture. */
function readReport(file) {
  const kernels = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = /Compiling entry function '(\w+)' for '(\w+)'/.exec(line);
    const frame = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    const used = /Used (\d+) registers/.exec(line);
    if (entry) kernels.push({ name: entry[1], arch: entry[2], registers: 0, stack: 0, spills: 0 });
    else if (frame)
      Object.assign(kernels.at(-1), { stack: Number(frame[1]), spills: Number(frame[2]) + Number(frame[3]) });
    else if (used) kernels.at(-1).registers = Number(used[1]);
    else if (/\bwarning\b/i.test(line)) problems.push(`${file}: ${line.trim()}`);
  }
  return kernels;
}

function findCuobjdump() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const cache = join(build, 'CMakeCache.txt');
  const nvcc = existsSync(cache) && /^SELFNORM_CUDA_CHECKED:\w+=(\S+)/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (nvcc) folders.unshift(dirname(nvcc));
  // Triton's wheel carries one.
  for (const lib of ['lib', 'lib64']) {
    const pythons = join('.cuda', lib);
    if (!existsSync(pythons)) continue;
    for (const python of readdirSync(pythons))
      folders.push(join(pythons, python, 'site-packages/triton/backends/nvidia/bin'));
  }
  folders.push(join('.cuda', 'triton/backends/nvidia/bin'));
  const candidates = [process.env.SELFNORM_CUOBJDUMP ?? '', ...folders.map((folder) => join(folder, 'cuobjdump'))];
  return candidates.find((path) => path !== '' && existsSync(path));
}

function checkWidth(cuobjdump, { what, source, kernel }, kernels) {
  const found = [...new Set(kernels.filter((entry) => kernel.test(entry.name)).map((entry) => entry.name))];
  if (found.length !== 1) {
    problems.push(
      `${what}: expected one kernel ${kernel.source}, found ${found.length}; correct scripts/check-kernels.mjs`,
    );
    return;
  }
  const args = ['-sass', '-fun', found[0], join(objects, `${source}.cu.o`)];
  const done = spawnSync(cuobjdump, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const codes = done.stdout
    .split(/code for (?=sm_)/)
    .slice(1)
    .filter((code) => code.includes(found[0]));
  if (done.status !== 0 || codes.length === 0) {
    problems.push(`${what}: cuobjdump gave no code: ${done.stderr.trim()}`);
    return;
  }
  for (const code of codes) {
    const arch = /^sm_\w+/.exec(code)[0];
    for (const instruction of ['LDG.E.128', 'STG.E.128']) {
      if (!code.includes(instruction))
        problems.push(`${what} for ${arch}: no ${instruction}: the kernel moves less than 16 bytes`);
    }
  }
}

const reports = existsSync(objects) ? readdirSync(objects).filter((file) => file.endsWith('.ptxas')) : [];
const current = reports.filter((file) => existsSync(join('cuda', 'ops', file.replace(/\.o\.ptxas$/, ''))));
const kernels = current.flatMap((file) => readReport(join(objects, file)));
if (kernels.length === 0) problems.push(`no CUDA build in ${build}: build with SELFNORM_CUDA=ON first`);

const allowed = new Set();
for (const kernel of kernels) {
  if (kernel.stack === 0 && kernel.spills === 0) continue;
  if (ALLOWED.some(({ pattern }) => pattern.test(kernel.name))) allowed.add(kernel.name);
  else
    problems.push(
      `${kernel.name} for ${kernel.arch}: ${kernel.stack} bytes of stack, ${kernel.spills} bytes of spills`,
    );
}
for (const { pattern, reason } of ALLOWED) {
  const used = kernels.length === 0 || [...allowed].some((kernel) => pattern.test(kernel));
  if (!used)
    problems.push(`scripts/check-kernels.mjs allows ${pattern.source} (${reason}), which no kernel needs: remove it`);
}

const cuobjdump = findCuobjdump();
if (cuobjdump && kernels.length > 0) for (const row of STREAMING) checkWidth(cuobjdump, row, kernels);

const most = kernels.reduce((a, b) => (b.registers > a.registers ? b : a), { registers: 0, name: 'none', arch: '' });
const archs = [...new Set(kernels.map(({ arch }) => arch))].sort();
console.log(`check:kernels: ${new Set(kernels.map((kernel) => kernel.name)).size} kernels for ${archs.join(', ')}`);
console.log(
  `check:kernels: at most ${most.registers} registers (${most.name}, ${most.arch}); ${allowed.size} with an allowed stack`,
);
console.log(
  cuobjdump
    ? `check:kernels: 16-byte loads and stores looked for in ${STREAMING.map(({ what }) => what).join(', ')}`
    : 'check:kernels: code not read: no cuobjdump (a CUDA toolkit or the Python package triton has one)',
);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
