// `selfnorm doctor`: what was found on this machine, what is missing, and the command that gets it. Looking (examine) and
// printing (render) are apart, so that --json and the text cannot disagree.
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem, type as systemName } from 'node:os';
import type { KernelChoice, NativeDevice } from '../native/addon.js';
import { cudaBuild, buildReport, probeCuda, probeSettings, type CudaBuild, type CudaProbe } from '../native/probe.js';
import { loadAddon } from '../native/load.js';
import { packageRoot } from '../native/paths.js';
import { version } from '../version.js';
import { measureKernels, renderKernels } from './kernels.js';

/** What the CPU addon says of itself. */
export interface CpuInfo {
  /** The instruction set its kernels were compiled for, as `'cpu_v3'`. */
  readonly flavour: string;
  readonly threads: number;
  readonly oneDnn: boolean;
}

/** Where doctor looks and prints; this process on this machine unless a test says otherwise. */
export interface DoctorParts {
  /** Throws where the CPU backend does not load. */
  cpu(): CpuInfo;
  probe(): CudaProbe;
  cudaBuild(): CudaBuild | undefined;
  buildReport(): string[];
  /** Measures what is chosen by measuring. */
  kernels(): KernelChoice[];
  write(text: string): void;
}

interface Remedy {
  readonly what: string;
  readonly command: string;
}

/** What `selfnorm doctor --json` prints. */
export interface Findings {
  readonly versions: {
    readonly selfnorm: string;
    readonly node: string;
    readonly system: string;
    readonly processor: string;
  };
  readonly cpu: { readonly works: boolean; readonly reason: string } & Partial<CpuInfo>;
  readonly cuda: {
    readonly works: boolean;
    readonly obstacle: string | undefined;
    readonly reason: string;
    readonly builtWith: CudaBuild | undefined;
    readonly build: readonly string[];
    readonly driver: CudaProbe['driver'];
    readonly libraries: CudaProbe['libraries']['found'];
    readonly devices: readonly NativeDevice[];
  };
  readonly missing: readonly Remedy[];
  /** With `kernels` only. */
  readonly kernels?: readonly KernelChoice[];
}

const GIB = 2 ** 30;

function cpuInfo(report: readonly string[]): CpuInfo {
  const [found] = loadAddon('cpu').devices();
  return {
    flavour: String(found?.['flavour'] ?? 'unknown'),
    threads: Number(found?.['threads'] ?? 1),
    oneDnn: report.includes('CPU backend: with oneDNN'),
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

function versions(): Findings['versions'] {
  const processor = cpus()[0]?.model.trim() ?? 'unknown';
  const memory = Math.round(totalmem() / GIB);
  return {
    selfnorm: version,
    node: process.versions.node,
    system: [`${systemName()} ${release()} ${arch()}`, distribution()].filter((part) => part !== '').join(', '),
    processor: `${processor}, ${availableParallelism()} cores, ${memory} GiB of memory`,
  };
}

// "  missing  cuDNN 9: not found (get it: npm run cuda:setup)" of the build's report.
const MISSING_LINE = /^ +missing +(.*) \(get it: (.*)\)$/;

function missingAtBuild(report: readonly string[]): Remedy[] {
  return report.flatMap((line) => {
    const match = MISSING_LINE.exec(line);
    return match === null ? [] : [{ what: match[1]!, command: match[2]! }];
  });
}

// A reason is "what" or "what; fix".
function whatAndFix(reason: string): [what: string, fix: string | undefined] {
  const at = reason.lastIndexOf('; ');
  return at < 0 ? [reason, undefined] : [reason.slice(0, at), reason.slice(at + 2)];
}

function cudaRemedies({ obstacle, reason, libraries }: CudaProbe, report: readonly string[]): Remedy[] {
  if (obstacle === 'not-built') {
    const lacking = missingAtBuild(report);
    return lacking.length > 0 ? lacking : [{ what: 'the CUDA backend', command: 'npx selfnorm build' }];
  }
  const lacking = libraries.missing.map(({ name, what, command }) => ({ what: `${name} (${what})`, command }));
  const [what, fix] = whatAndFix(reason);
  // The fix of a missing library is its own already.
  return obstacle === 'library-missing' || fix === undefined ? lacking : [...lacking, { what, command: fix }];
}

function examine(parts: DoctorParts): Findings {
  const report = parts.buildReport();
  const missing: Remedy[] = [];
  let cpu: Findings['cpu'];
  try {
    cpu = { works: true, reason: '', ...parts.cpu() };
    const withOut = /^CPU backend: without (oneDNN).*\(get it: (.*)\)$/.exec(report[0] ?? '');
    if (withOut !== null) missing.push({ what: `${withOut[1]} (faster matmul and convolution)`, command: withOut[2]! });
  } catch (error) {
    cpu = { works: false, reason: error instanceof Error ? error.message : String(error) };
    missing.push({ what: 'the CPU backend', command: 'npx selfnorm build' });
  }
  const probe = parts.probe();
  const { libraries } = probe;
  missing.push(...cudaRemedies(probe, report));
  return {
    versions: versions(),
    cpu,
    cuda: {
      works: probe.works,
      obstacle: probe.obstacle,
      reason: probe.reason,
      builtWith: parts.cudaBuild(),
      build: report.slice(1),
      driver: probe.driver,
      libraries: libraries.found,
      devices: probe.devices,
    },
    missing,
  };
}

type Row = readonly [label: string, value: string];

const rows = (entries: readonly Row[]): string[] => {
  const width = Math.max(0, ...entries.map(([label]) => label.length));
  return entries.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
};

function cpuRows({ cpu }: Findings): Row[] {
  if (!cpu.works) return [];
  return [
    ['kernels', `${cpu.flavour}, ${cpu.threads} ${cpu.threads === 1 ? 'thread' : 'threads'}`],
    ['oneDNN', cpu.oneDnn === true ? 'yes' : 'no, plain loops do its work'],
  ];
}

function describeDevice(device: NativeDevice): string {
  const memory = `${(device.memory / GIB).toFixed(1)} GiB`;
  const capability = device['computeCapability'];
  return [device.name, memory, ...(capability === undefined ? [] : [`compute capability ${capability}`])].join(', ');
}

function cudaRows({ cuda }: Findings): Row[] {
  const { builtWith, driver } = cuda;
  const build =
    builtWith === undefined
      ? 'none'
      : `CUDA ${builtWith.toolkit}, cuBLASLt ${builtWith.cublas}, cuDNN ${builtWith.cudnn}, for ${builtWith.architectures.replaceAll(';', ' ')}`;
  const driverFacts = [driver.version, driver.library, driver.hasDeviceFiles ? undefined : 'no /dev/nvidia*'];
  return [
    ['build', build],
    ...(builtWith === undefined ? cuda.build.slice(1).map((line): Row => ['', line.trim()]) : []),
    [
      'driver',
      driver.library === undefined && !driver.hasDeviceFiles ? 'none' : driverFacts.filter(Boolean).join(', '),
    ],
    ...cuda.libraries.map(({ name, folder, version: found }): Row => [
      name,
      `${found ?? 'version unknown'}  ${folder}`,
    ]),
    ...cuda.devices.map((device, index): Row => [`cuda:${index}`, describeDevice(device)]),
  ];
}

function render(findings: Findings): string {
  const { versions: found, cpu, cuda, missing } = findings;
  const verdict = (works: boolean, reason: string): string => (works ? 'works' : `does not work: ${reason}`);
  const lines = [
    `selfnorm ${found.selfnorm}`,
    ...rows([
      ['Node.js', found.node],
      ['system', found.system],
      ['processor', found.processor],
    ]),
    '',
    `CPU backend: ${verdict(cpu.works, cpu.reason)}`,
    ...rows(cpuRows(findings)),
    '',
    `CUDA backend: ${verdict(cuda.works, whatAndFix(cuda.reason)[0])}`,
    ...rows(cudaRows(findings)),
  ];
  if (missing.length > 0) {
    lines.push('', 'To get what is missing');
    for (const command of new Set(missing.map((remedy) => remedy.command))) {
      const wanted = missing.filter((remedy) => remedy.command === command);
      lines.push(...wanted.map(({ what }) => `  ${what}`), `      ${command}`);
    }
  }
  return lines.join('\n');
}

/**
 * Prints what was found on this machine, what is missing and the command that gets it.
 * @param options `json`: for machines, the findings as one JSON object; `kernels`: which engine computes what, measured.
 * @returns The exit code: 0 where a backend works, else 1.
 */
export function doctor(
  options: { readonly json: boolean; readonly kernels?: boolean },
  parts: Partial<DoctorParts> = {},
): Promise<number> {
  const report = (): string[] => buildReport(packageRoot());
  const whole: DoctorParts = {
    cpu: () => cpuInfo(report()),
    probe: probeCuda,
    cudaBuild: () => cudaBuild(probeSettings().addon),
    buildReport: report,
    kernels: measureKernels,
    write: (text) => console.log(text),
    ...parts,
  };
  const found = examine(whole);
  const kernels = options.kernels === true ? (found.cuda.works ? whole.kernels() : []) : undefined;
  const findings: Findings = kernels === undefined ? found : { ...found, kernels };
  const text = kernels === undefined ? render(found) : `${render(found)}\n\n${renderKernels(kernels)}`;
  whole.write(options.json ? JSON.stringify(findings, null, 2) : text);
  return Promise.resolve(findings.cpu.works || findings.cuda.works ? 0 : 1);
}
