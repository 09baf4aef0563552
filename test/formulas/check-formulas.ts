// Compiles the kernels of a set of formulas by NVRTC for an A100 and an H100 that need not be there, forward, backward and the
// backward of backward in each dtype: what does not compile, or spills registers, is a failure here and not on somebody's GPU.
// Needs a CUDA build (npm run build:native).
//   tsx test/formulas/check-formulas.ts [build folder]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Algebra } from '../../src/formula/algebra.js';
import { compileFormula, nativeParameters } from '../../src/formula/compile.js';
import { FUNCTIONS, operation } from '../../src/formula/instructions.js';
import { parseFormula } from '../../src/formula/parse.js';
import { DTYPE_INDEX } from '../../src/tensor/dtype.js';

const build = process.argv[2] ?? 'build';

function stop(message: string): never {
  console.error(`check:formulas: ${message}`);
  process.exit(1);
}

if (!existsSync(join(build, 'plans', 'library-path.txt'))) {
  stop(`${build}/ is no CUDA build; make one: npm run cuda:setup && SELFNORM_CUDA=ON npm run build:native`);
}
const made = spawnSync('cmake', ['--build', build, '--target', 'check_formulas'], { encoding: 'utf8' });
if (made.status !== 0) stop(`check_formulas does not build:\n${made.stdout}${made.stderr}`);

/** What people write, and one formula with every function and operator. */
const every = [...FUNCTIONS].map(([call, name]) => {
  const operands = ['x', 'cos(x)', 'x + 1'].slice(0, operation(name).arity);
  return `${call}(${operands.join(', ')})`;
});
const FORMULAS: Readonly<Record<string, string>> = {
  swish: 'x / (1 + exp(-1.5 * x))',
  selu: 'x > 0 ? 1.05 * x : 1.05 * 1.67 * expm1(x)',
  geluTanh: '0.5 * x * (1 + tanh(0.8 * (x + 0.0447 * x^3)))',
  gelu: '0.5 * x * (1 + erf(x / sqrt(2)))',
  mish: 'x * tanh(softplus(x))',
  every: `${every.join(' + ')} + (x <= 1 || x != 3) - x == 2`,
};
/** Orders of derivatives with the inputs their kernels take; the last formula's second one is as long as kernels get. */
const lines = Object.entries(FORMULAS).flatMap(([name, formula]) => {
  const e = new Algebra();
  const forward = e.substitute(parseFormula(formula, { op: name, argument: 'forward', names: ['x'] }), {});
  const slope = e.derivative(forward, 'x');
  const bend = e.derivative(slope, 'x');
  const [dy, g] = [e.variable('dy'), e.variable('g')];
  const kernels = [
    ['forward', forward, ['x']],
    ['backward', e.mul(dy, slope), ['dy', 'x']],
    ...(name === 'every' ? [] : [['second', e.mul(g, e.mul(dy, bend)), ['g', 'dy', 'x']] as const]),
  ] as const;
  const dtypes =
    name === 'swish' || name === 'every'
      ? (['float32', 'float16', 'bfloat16', 'float64'] as const)
      : (['float32'] as const);
  return kernels.flatMap(([kind, expression, inputs]) => {
    const parameters = nativeParameters(compileFormula(name, e, expression, inputs)).join(' ');
    return dtypes.map((dtype) => `${name}/${kind} ${DTYPE_INDEX[dtype]} ${inputs.length} ${parameters}`);
  });
});

const answer = spawnSync(join(build, 'plans', 'check_formulas'), {
  input: `${lines.join('\n')}\n`,
  encoding: 'utf8',
  env: { ...process.env, LD_LIBRARY_PATH: readFileSync(join(build, 'plans', 'library-path.txt'), 'utf8').trim() },
});
if (answer.status !== 0) stop(answer.stderr);
const problems: string[] = [];
let most = 0;
const reports = answer.stdout.split(/^== /m).slice(1);
for (const report of reports) {
  const title = report.slice(0, report.indexOf('\n'));
  const registers = /Used (\d+) registers/.exec(report);
  const spilled = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(report);
  if (title.endsWith(' no code')) problems.push(`${title} for that GPU`);
  if (registers === null || spilled === null)
    problems.push(`${title}: expected what ptxas says of a kernel, got ${report}`);
  else if (Number(spilled[1]) + Number(spilled[2]) > 0) problems.push(`${title}: ${spilled[0]}`);
  most = Math.max(most, Number(registers?.[1]));
}
if (reports.length !== 2 * lines.length) problems.push(`expected ${2 * lines.length} reports, got ${reports.length}`);
console.log(`check:formulas: ${lines.length} kernels for sm_80 and sm_90, at most ${most} registers`);
if (problems.length > 0) stop(problems.join('\n'));
