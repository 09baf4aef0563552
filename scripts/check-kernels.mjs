// Judges the machine code of a CUDA build from what ptxas said of it (cuda/compile.sh keeps that beside each object): no kernel
// spills registers or has a stack frame, no compiler warned. With cuobjdump at hand it also reads the code of listed kernels:
// streaming ones must move 16 bytes at a time, matrix products must use tensor cores and copies that run on by themselves; and it
// compiles the build's PTX for newer GPUs, as their driver would.
//   node scripts/check-kernels.mjs [build folder] [--code]    --code: a machine without cuobjdump fails
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { compileForNewer, newerPtxas } from './newer-gpus.mjs';
import { parseReport } from './ptxas-report.mjs';

const build = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? 'build';
/** Where objects lie, each with ptxas's report, and the sources they are made of. */
const objects = (target, folder) => join(build, 'cuda', 'CMakeFiles', `${target}.dir`, folder);
const FOLDERS = {
  ops: { objects: objects('selfnorm_cuda', 'ops'), sources: join('cuda', 'ops') },
  engines: { objects: objects('selfnorm_cuda', 'engines'), sources: join('cuda', 'engines') },
  hopper: { objects: objects('selfnorm_cuda_sm90a', 'engines'), sources: join('cuda', 'engines') },
};

/** Kernels that may have a stack frame or spill, each with the reason; a pattern of the mangled name. */
const ALLOWED = [];

const name = (part) => `${part.length}${part}`;
const map = (functor, width, types) => new RegExp(`map_kernelILi${width}E${functor}${types}E`);
const backward = (activation) => `NS0_${name('ActivationBackward')}INS0_${name(activation)}EEE`;
const forward = (activation) => `NS0_${name('ActivationForward')}INS0_${name(activation)}EEE`;
const HALF = 'NS_8bfloat16EJS\\d_E';

const random = (functor, width, types) => new RegExp(`random_map_kernelItLi${width}ENS0_${name(functor)}IfEE${types}E`);
const step = (rule, width, type) => new RegExp(`optimizer_step_kernelILi${width}E${type}NS0_${name(rule)}`);
const biasForward = (activation, width, type) =>
  new RegExp(`bias_forward_kernelILi${width}ENS0_${name(activation)}E${type}E`);
const gathered = (width, type) => new RegExp(`gather_rescaled_kernelILi${width}E${type}hE`);
const tile = (kind, ...sizes) => `NS0_${name(kind)}I${sizes.map((size) => `Li${size}E`).join('')}E`;
const product = (kernel, type, transposeA, transposeB, tile, epilogue = 'MatmulEpilogue') =>
  new RegExp(`${kernel}ILb${Number(transposeA)}ELb${Number(transposeB)}E${tile}ENS0_${name(epilogue)}I${type}E`);
const LARGE = tile('MmaTile', 128, 128, 64, 32, 4);
const SMALL = tile('MmaTile', 64, 64, 32, 32, 4);
const [FLOAT16, BFLOAT16] = ['NS_4halfE', 'NS_8bfloat16E'];

/** Sixteen bytes at a time. */
const WIDE = ['LDG.E.128', 'STG.E.128'];
/** Copies to shared memory that run on by themselves, matrices from it, tensor cores. */
const MMA = ['LDGSTS.E', 'LDSM.16.M', 'HMMA.16'];
const WGMMA = ['UTMALDG', 'HGMMA.64x128x16.F32', 'SYNCS.'];
/** Of every listed kernel: loads and stores of local memory. */
const LOCAL = ['LDL', 'STL'];

/** What the code of listed kernels must contain. A kernel is a pattern of the mangled name. */
const LISTED = [
  { what: 'relu float32', source: 'activations', kernel: map(forward('Relu'), 4, 'fJfE'), has: WIDE },
  { what: 'relu bfloat16', source: 'activations', kernel: map(forward('Relu'), 8, HALF), has: WIDE },
  { what: 'selu float32', source: 'activations', kernel: map(forward('Selu'), 4, 'fJfE'), has: WIDE },
  { what: 'selu bfloat16', source: 'activations', kernel: map(forward('Selu'), 8, HALF), has: WIDE },
  { what: 'selu backward float32', source: 'activations', kernel: map(backward('Selu'), 4, 'fJffE'), has: WIDE },
  { what: 'gelu float32', source: 'activations', kernel: map(forward('Gelu'), 4, 'fJfE'), has: WIDE },
  { what: 'gelu backward float32', source: 'activations', kernel: map(backward('Gelu'), 4, 'fJffE'), has: WIDE },
  { what: 'bias and selu float32', source: 'bias_activation', kernel: biasForward('Selu', 4, 'f'), has: WIDE },
  { what: 'bias and selu bfloat16', source: 'bias_activation', kernel: biasForward('Selu', 8, BFLOAT16), has: WIDE },
  { what: 'add float32', source: 'binary', kernel: map('NS0_3AddE', 4, 'fJffE'), has: WIDE },
  { what: 'add bfloat16', source: 'binary', kernel: map('NS0_3AddE', 8, 'NS_8bfloat16EJS\\d_S\\d_E'), has: WIDE },
  { what: 'dropout float32', source: 'dropout', kernel: random('MaskedAffine', 4, 'fJfE'), has: WIDE },
  { what: 'dropout bfloat16', source: 'dropout', kernel: random('MaskedAffine', 8, HALF), has: WIDE },
  {
    what: 'selu and alpha dropout float32',
    source: 'dropout',
    kernel: random('SeluMaskedAffine', 4, 'fJfE'),
    has: WIDE,
  },
  {
    what: 'selu and alpha dropout bfloat16',
    source: 'dropout',
    kernel: random('SeluMaskedAffine', 8, HALF),
    has: WIDE,
  },
  { what: 'their backward float32', source: 'dropout', kernel: random('SeluMaskedBackward', 4, 'fJffE'), has: WIDE },
  { what: 'adam float32', source: 'optimizers', kernel: step('AdamRule', 4, 'f'), has: WIDE },
  { what: 'adadelta float32', source: 'optimizers', kernel: step('AdadeltaRule', 4, 'f'), has: WIDE },
  { what: 'batch of bytes, float32', source: 'gather', kernel: gathered(4, 'f'), has: ['STG.E.128'] },
  { what: 'batch of bytes, bfloat16', source: 'gather', kernel: gathered(8, BFLOAT16), has: ['LDG.E.64', 'STG.E.128'] },
  ...[
    ['float16', FLOAT16, MMA],
    ['bfloat16', BFLOAT16, MMA],
    // Rounded to TF32; only an operand with its depth inside is read by matrices.
    ['float32', 'f', [...MMA, 'TF32']],
  ].flatMap(([type, mangled, has]) =>
    [LARGE, SMALL].map((size) => ({
      what: `matrix product, b transposed, ${type}, ${size === LARGE ? 'large' : 'small'} tile`,
      folder: 'engines',
      source: 'matmul_mma',
      kernel: product('matmul_mma_kernel', mangled, false, true, size),
      has,
    })),
  ),
  {
    what: 'matrix product, bfloat16, large tile',
    folder: 'engines',
    source: 'matmul_mma',
    kernel: product('matmul_mma_kernel', BFLOAT16, false, false, LARGE),
    has: [...MMA, 'LDSM.16.MT'],
  },
  ...[
    ['float32', 'f', 'LDG.E.128'],
    ['bfloat16', BFLOAT16, 'LDG.E.64'],
  ].map(([type, mangled, load]) => ({
    what: `matrix product with the derivative of the layer below, ${type}`,
    folder: 'engines',
    source: 'matmul_mma',
    kernel: product('matmul_mma_kernel', mangled, false, true, LARGE, 'MatmulDerivative'),
    has: [...MMA, load],
  })),
  ...[
    ['bfloat16', BFLOAT16, tile('WgmmaTile', 2, 3), [...WGMMA, '.BF16']],
    ['float16', FLOAT16, tile('WgmmaTile', 1, 4), WGMMA],
  ].map(([type, mangled, size, has]) => ({
    what: `matrix product for Hopper, ${type}`,
    folder: 'hopper',
    source: 'matmul_wgmma',
    kernel: product('matmul_wgmma_kernel', mangled, true, false, size),
    has,
  })),
];

const problems = [];

/** Every kernel of a report, once an architecture. */
function readReport(file) {
  const { kernels, warnings } = parseReport(readFileSync(file, 'utf8'));
  problems.push(...warnings.map((warning) => `${file}: ${warning}`));
  const object = file.replace(/\.ptxas$/, '');
  return kernels.map((kernel) => ({ ...kernel, object }));
}

/** The compiler that the build was made with. */
function findNvcc() {
  const cache = join(build, 'CMakeCache.txt');
  if (!existsSync(cache)) return undefined;
  return /^SELFNORM_CUDA_CHECKED:\w+=(\S+)/m.exec(readFileSync(cache, 'utf8'))?.[1];
}

function findCuobjdump() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const nvcc = findNvcc();
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

/** The code of the named kernels of an object, by architecture. */
function disassemble(cuobjdump, object, names) {
  const args = ['-sass', '-fun', names.join(','), object];
  const done = spawnSync(cuobjdump, args, { encoding: 'utf8', maxBuffer: 2 ** 29 });
  if (done.status !== 0) problems.push(`${object}: cuobjdump gave no code: ${done.stderr.trim()}`);
  return done.stdout
    .split(/code for (?=sm_)/)
    .slice(1)
    .flatMap((part) => {
      const arch = /^sm_\w+/.exec(part)[0];
      return part
        .split(/Function : (?=\w)/)
        .slice(1)
        .map((code) => ({ arch, name: /^\w+/.exec(code)[0], code }));
    });
}

/** Checks the code of listed kernels; their names. */
function checkListed(cuobjdump, kernels) {
  const wanted = new Map();
  for (const row of LISTED) {
    const object = join(FOLDERS[row.folder ?? 'ops'].objects, `${row.source}.cu.o`);
    const of = kernels.filter((entry) => entry.object === object && row.kernel.test(entry.name));
    const names = [...new Set(of.map((entry) => entry.name))];
    if (names.length !== 1) {
      problems.push(
        `${row.what}: expected one kernel ${row.kernel.source}, found ${names.length}; correct scripts/check-kernels.mjs`,
      );
    } else {
      wanted.set(object, [...(wanted.get(object) ?? []), { ...row, name: names[0], archs: of.length }]);
    }
  }
  for (const [object, rows] of wanted) {
    const all = disassemble(
      cuobjdump,
      object,
      rows.map((row) => row.name),
    );
    for (const { what, name, archs, has } of rows) {
      const codes = all.filter((code) => code.name === name);
      if (codes.length !== archs)
        problems.push(`${what}: expected code for ${archs} architectures, got ${codes.length}`);
      for (const { arch, code } of codes) {
        for (const instruction of has) {
          if (!code.includes(instruction)) problems.push(`${what} for ${arch}: no ${instruction} any more`);
        }
        for (const instruction of LOCAL) {
          if (new RegExp(`\\b${instruction}\\b`).test(code)) problems.push(`${what} for ${arch}: uses local memory`);
        }
      }
    }
  }
  return new Set([...wanted.values()].flat().map((row) => row.name));
}

const kernels = Object.values(FOLDERS).flatMap(({ objects, sources }) => {
  const reports = existsSync(objects) ? readdirSync(objects).filter((file) => file.endsWith('.ptxas')) : [];
  const current = reports.filter((file) => existsSync(join(sources, file.replace(/\.o\.ptxas$/, ''))));
  return current.flatMap((file) => readReport(join(objects, file)));
});
if (kernels.length === 0) problems.push(`no CUDA build in ${build}: build with SELFNORM_CUDA=ON first`);

const cuobjdump = findCuobjdump();
const listed = cuobjdump && kernels.length > 0 ? checkListed(cuobjdump, kernels) : new Set();
if (!cuobjdump && process.argv.includes('--code'))
  problems.push('--code: no cuobjdump; run: npm run cuda:setup -- --tools');

// What is for Hopper alone has no PTX.
const portable = kernels.filter(({ object }) => !object.startsWith(FOLDERS.hopper.objects));
const ptxas = newerPtxas(findNvcc());
const newer = cuobjdump && ptxas ? compileForNewer(cuobjdump, ptxas, portable, listed) : { kernels: [], problems: [] };
problems.push(...newer.problems);

const allowed = new Set();
for (const kernel of [...kernels, ...newer.kernels]) {
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

const most = kernels.reduce((a, b) => (b.registers > a.registers ? b : a), { registers: 0, name: 'none', arch: '' });
const archs = [...new Set(kernels.map(({ arch }) => arch))].sort();
console.log(`check:kernels: ${new Set(kernels.map((kernel) => kernel.name)).size} kernels for ${archs.join(', ')}`);
console.log(
  `check:kernels: at most ${most.registers} registers (${most.name}, ${most.arch}); ${allowed.size} with an allowed stack`,
);
console.log(
  cuobjdump
    ? `check:kernels: the code of ${LISTED.length} listed kernels read for its instructions`
    : 'check:kernels: code not read: no cuobjdump (a CUDA toolkit or the Python package triton has one)',
);
console.log(
  newer.kernels.length > 0
    ? `check:kernels: PTX compiled for ${[...new Set(newer.kernels.map(({ arch }) => arch))].join(', ')}: the ${newer.kernels.length / new Set(newer.kernels.map(({ arch }) => arch)).size} kernels that are listed or could spill`
    : 'check:kernels: PTX not compiled for newer GPUs: that takes cuobjdump and a toolkit of 12.9 or newer',
);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
