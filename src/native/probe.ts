// Whether CUDA can work here, and if not, why. Another process tries first: a driver that crashes takes that one, not this.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { NativeDevice } from './addon.js';
import {
  findCudaLibraries,
  libraryPaths,
  preloadLibraries,
  PRELOAD_FLAGS,
  setupCommand,
  type CudaLibraries,
} from './cuda-libraries.js';
import { findDriver, searchSettings, type CudaDriver, type SearchSettings } from './cuda-places.js';
import { addonPath } from './paths.js';

/** Why CUDA cannot work. */
export type CudaObstacle =
  | 'switched-off'
  | 'not-built'
  | 'no-driver'
  | 'driver-too-old'
  | 'library-missing'
  | 'no-device'
  | 'device-too-old'
  | 'crashed'
  | 'failed';

/** The answer, with the reason where CUDA cannot work. */
export interface CudaProbe {
  readonly works: boolean;
  /** Undefined where CUDA works. */
  readonly obstacle: CudaObstacle | undefined;
  /** One sentence; empty where CUDA works. */
  readonly reason: string;
  /** As the other process saw them; empty where it was not asked. */
  readonly devices: readonly NativeDevice[];
  readonly driver: CudaDriver;
  readonly libraries: CudaLibraries;
  /** Loads the CUDA libraries by full path, so that the addon's needs are met by name. */
  preload(): void;
}

export interface ProbeSettings extends SearchSettings {
  /** Full path of selfnorm_cuda.node. */
  readonly addon: string;
  /** The program for the other process, in JavaScript. */
  readonly program: string;
  readonly timeoutMs: number;
}

/** What the addon was built with: selfnorm_cuda.json beside it, written by cmake/find-cuda.cmake. */
export interface CudaBuild {
  readonly toolkit: string;
  readonly cublas: string;
  readonly cudnn: string;
  readonly architectures: string;
}

// The driver may print; the answer is the line with this mark.
const MARK = 'selfnorm-probe:';

/** Loads the libraries and the addon and prints the devices, or the error that came. */
export const PROBE_PROGRAM = `
const { libraries, addon, flags } = JSON.parse(process.argv[1]);
let answer;
try {
  for (const path of libraries) {
    try {
      process.dlopen({ exports: {} }, path, flags);
    } catch (error) {
      if (!error.message.includes('did not self-register')) throw error;
    }
  }
  const loaded = { exports: {} };
  process.dlopen(loaded, addon);
  answer = { devices: loaded.exports.devices() };
} catch (error) {
  answer = { code: error.code, error: error.message };
}
process.stdout.write('\\n${MARK}' + JSON.stringify(answer) + '\\n');
`;

interface Answer {
  readonly devices?: NativeDevice[];
  readonly code?: string;
  readonly error?: string;
}

type Verdict = Pick<CudaProbe, 'obstacle' | 'reason' | 'devices'>;

const refuse = (obstacle: CudaObstacle, reason: string, devices: readonly NativeDevice[] = []): Verdict => ({
  obstacle,
  reason,
  devices,
});

/** The oldest NVIDIA driver (Linux) that each CUDA runs on. */
const OLDEST_DRIVER: Readonly<Record<number, number>> = { 12: 525, 13: 580 };

const DEFAULT_BUILD: CudaBuild = { toolkit: '13', cublas: '', cudnn: '', architectures: '80-real;90-real;90-virtual' };

/** What the CUDA addon beside `addon` was built with, undefined where nothing says. */
export function cudaBuild(addon: string): CudaBuild | undefined {
  try {
    return JSON.parse(readFileSync(addon.replace(/\.node$/, '.json'), 'utf8')) as CudaBuild;
  } catch {
    return undefined;
  }
}

// "80-real" runs on 8.x from 8.0 on, "90-virtual" (PTX) on everything from 9.0 on, "90a-real" on 9.0 alone.
function runsOn(computeCapability: string, architectures: string): boolean {
  const [major = 0, minor = 0] = computeCapability.split('.').map(Number);
  const device = major * 10 + minor;
  return architectures.split(';').some((entry) => {
    const [, number, exact, kind] = /^(\d+)([af]?)(?:-(real|virtual))?$/.exec(entry) ?? [];
    const built = Number(number);
    if (exact) return device === built;
    return device >= built && (kind !== 'real' || Math.floor(built / 10) === major);
  });
}

function driverAdvice(major: number): string {
  return `install NVIDIA's driver ${OLDEST_DRIVER[major] ?? 580} or newer (Ubuntu: ubuntu-drivers install; Debian: apt-get install nvidia-driver; container: start it with --gpus all)`;
}

function judgeError(answer: Answer, settings: ProbeSettings, driver: CudaDriver, major: number): Verdict {
  const error = answer.error ?? 'no error was given';
  if (error.includes('cudaErrorInsufficientDriver') || error.includes('cudaErrorStubLibrary')) {
    if (driver.library === undefined) return refuse('no-driver', `no NVIDIA driver: ${error}; ${driverAdvice(major)}`);
    const version = driver.version === undefined ? '' : ` ${driver.version}`;
    return refuse('driver-too-old', `the NVIDIA driver${version} is too old for CUDA ${major}; ${driverAdvice(major)}`);
  }
  if (error.includes('cudaErrorNoDevice')) return refuse('no-device', 'the NVIDIA driver shows no device');
  if (answer.code === 'ERR_DLOPEN_FAILED') {
    const library = /^(\S+?): cannot open shared object file/.exec(error)?.[1];
    const fix = setupCommand(settings.packageRoot);
    if (library !== undefined) return refuse('library-missing', `${library} was not found; get it with: ${fix}`);
  }
  return refuse('failed', error);
}

function askOtherProcess(
  settings: ProbeSettings,
  libraries: CudaLibraries,
  driver: CudaDriver,
  build: CudaBuild,
): Verdict {
  const major = Number.parseInt(build.toolkit, 10);
  const task = { libraries: libraryPaths(libraries), addon: settings.addon, flags: PRELOAD_FLAGS };
  const done = spawnSync(process.execPath, ['-e', settings.program, JSON.stringify(task)], {
    encoding: 'utf8',
    // Loaders and debuggers of this process are not wanted there. Electron runs as Node.js.
    env: { ...settings.env, NODE_OPTIONS: '', ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: settings.timeoutMs,
    killSignal: 'SIGKILL',
  });
  if (done.error !== undefined && 'code' in done.error && done.error.code === 'ETIMEDOUT') {
    return refuse('crashed', `loading CUDA did not end within ${settings.timeoutMs / 1000} s`);
  }
  if (done.error !== undefined) return refuse('failed', `the probing process did not start: ${done.error.message}`);
  const line = done.stdout.split('\n').findLast((text) => text.startsWith(MARK));
  if (done.signal !== null || line === undefined) {
    const how = done.signal === null ? `exit code ${done.status}` : `signal ${done.signal}`;
    const last = done.stderr.trim().split('\n').at(-1) ?? '';
    return refuse('crashed', `loading CUDA ended the probing process with ${how}${last === '' ? '' : `: ${last}`}`);
  }
  const answer = JSON.parse(line.slice(MARK.length)) as Answer;
  if (answer.devices === undefined) return judgeError(answer, settings, driver, major);
  if (answer.devices.length === 0) return refuse('no-device', 'the NVIDIA driver shows no device');
  // A device that does not say what it is stands in for one in tests of the path from here on.
  const runs = answer.devices.some((device) => {
    const capability = device['computeCapability'];
    return capability === undefined || runsOn(String(capability), build.architectures);
  });
  if (runs) return { obstacle: undefined, reason: '', devices: answer.devices };
  const seen = answer.devices.map(({ name, computeCapability }) => `${name} (${computeCapability})`).join(', ');
  return refuse(
    'device-too-old',
    `this build is for compute capabilities ${build.architectures.replaceAll(';', ', ')}, found ${seen}; rebuild with SELFNORM_CUDA_ARCHS set`,
    answer.devices,
  );
}

/** Looks and asks anew; `probeCuda` is what the library uses. */
export function probe(settings: ProbeSettings): CudaProbe {
  const driver = findDriver(settings);
  const build = cudaBuild(settings.addon) ?? DEFAULT_BUILD;
  const major = Number.parseInt(build.toolkit, 10);
  let libraries: CudaLibraries | undefined;
  const findLibraries = (): CudaLibraries => (libraries ??= findCudaLibraries(settings, major));

  const judge = (): Verdict => {
    const mode = settings.env['SELFNORM_CUDA_PROBE'];
    if (mode === 'off') return refuse('switched-off', 'SELFNORM_CUDA_PROBE is off');
    const hasDriver = driver.library !== undefined || driver.hasDeviceFiles;
    if (!existsSync(settings.addon)) {
      const driverToo = hasDriver ? '' : ', nor is there an NVIDIA driver';
      return refuse('not-built', `the CUDA backend is not built${driverToo}; npx selfnorm doctor says what it lacks`);
    }
    if (!hasDriver) return refuse('no-driver', `there is no NVIDIA driver; ${driverAdvice(major)}`);
    const { missing } = findLibraries();
    if (missing.length > 0) {
      const names = missing.map(({ name, what }) => `${name} (${what})`).join(' and ');
      return refuse('library-missing', `not found: ${names}; get it with: ${missing[0]!.command}`);
    }
    if (mode === 'skip') return { obstacle: undefined, reason: '', devices: [] };
    return askOtherProcess(settings, findLibraries(), driver, build);
  };

  const verdict = judge();
  return {
    works: verdict.obstacle === undefined,
    ...verdict,
    driver,
    get libraries() {
      return findLibraries();
    },
    preload: () => preloadLibraries(findLibraries()),
  };
}

/** The settings of this process on this machine. */
export function probeSettings(): ProbeSettings {
  return { ...searchSettings(), addon: addonPath('cuda'), program: PROBE_PROGRAM, timeoutMs: 120_000 };
}

let cached: CudaProbe | undefined;

// Worker threads inherit this: one process asks once, not every thread.
const SHARED_KEY = 'selfnorm.cuda-works';

/**
 * Whether CUDA can work here; found out once a process. Where there is no driver, no other process is started.
 * Environment: SELFNORM_CUDA_PROBE=off never uses CUDA, =skip does not try in another process first.
 */
export function probeCuda(): CudaProbe {
  if (cached !== undefined) return cached;
  const settings = probeSettings();
  const known = getEnvironmentData(SHARED_KEY) === true;
  cached = probe(known ? { ...settings, env: { SELFNORM_CUDA_PROBE: 'skip', ...settings.env } } : settings);
  if (cached.works) setEnvironmentData(SHARED_KEY, true);
  return cached;
}

/** The lines that the build wrote about what it found and what it lacks; none where nothing was built. */
export function buildReport(packageRoot: string): string[] {
  const file = join(packageRoot, 'build', 'selfnorm-report.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
