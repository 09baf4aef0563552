// Which device new tensors are made on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { invalid } from '../errors.js';
import type { NativeDevice } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import { loadCuda } from '../native/cuda.js';
import { Backend } from './backend.js';

/** A device as `devices()` lists it: name, memory in bytes, and what the backend says of itself. */
export interface DeviceDescription extends NativeDevice {
  /** The name `setDevice()` takes: `'cpu'` or `'cuda:0'`. */
  readonly device: string;
}

const backends = new Map<string, Backend>();
let current: Backend | undefined;
/** The device of the withDevice() that is running here, through its awaits; made when withDevice() is first used. */
let scopes: AsyncLocalStorage<{ backend: Backend }> | undefined;

function open(device: string): Backend {
  const known = backends.get(device);
  if (known !== undefined) return known;
  const [kind, index] = device === 'cpu' ? (['cpu', 0] as const) : (['cuda', Number(device.slice(5))] as const);
  const addon = kind === 'cpu' ? loadAddon('cpu') : loadCuda().addon;
  const backend = new Backend(device, backends.size, addon, addon.openQueue(index));
  addon.setFloat32Precision(backend.queue, fastFloat32);
  backends.set(device, backend);
  return backend;
}

/** `'cuda'` means its first device; anything but cpu, cuda and cuda:N is refused. */
function canonical(op: string, device: unknown): string {
  if (device === 'cpu') return 'cpu';
  const match = typeof device === 'string' ? /^cuda(?::(\d+))?$/.exec(device) : null;
  if (match === null) throw invalid('ERR_DEVICE', op, 'device', "'cpu', 'cuda' or 'cuda:N'", device);
  const cuda = loadCuda();
  const index = Number(match[1] ?? 0);
  if (index >= cuda.devices.length) {
    throw invalid('ERR_DEVICE', op, 'device', `one of ${cuda.devices.length} CUDA devices`, device, 'see devices()');
  }
  return `cuda:${index}`;
}

/** @internal The backend of a device by name. */
export function backendOf(op: string, device: string): Backend {
  return open(canonical(op, device));
}

/** @internal The backend new tensors are made on. First use: SELFNORM_DEVICE, else CUDA if it works, else the CPU. */
export function currentBackend(): Backend {
  const scope = scopes?.getStore();
  if (scope !== undefined) return scope.backend;
  if (current !== undefined) return current;
  const wanted = process.env['SELFNORM_DEVICE'];
  if (wanted !== undefined && wanted !== '') current = backendOf('SELFNORM_DEVICE', wanted);
  else current = open(loadCuda.works() ? 'cuda:0' : 'cpu');
  return current;
}

let fastFloat32 = false;

/**
 * How exactly float32 matrix products and convolutions are computed.
 * @param precision `'highest'` (default): true float32. `'high'`: CUDA may round operands to TF32 (10 bits of mantissa) and
 *   runs several times faster; the CPU computes true float32 either way.
 */
export function setFloat32Precision(precision: 'highest' | 'high'): void {
  if (precision !== 'highest' && precision !== 'high') {
    throw invalid('ERR_ARGUMENT', 'setFloat32Precision', 'precision', "'highest' or 'high'", precision);
  }
  fastFloat32 = precision === 'high';
  for (const backend of backends.values()) backend.addon.setFloat32Precision(backend.queue, fastFloat32);
}

/** What `time()` measured, in milliseconds. */
export interface TimingInfo {
  /** Until the device had finished; equal to wallMs, since the host waits for it. */
  kernelMs: number;
  /** From the call to the end of the device's work. */
  wallMs: number;
}

/** Runs `fn` on an idle device and waits for the device to finish what it was given. */
export async function time(fn: () => unknown): Promise<TimingInfo> {
  const { addon, queue } = currentBackend();
  addon.synchronize(queue);
  const start = performance.now();
  await fn();
  addon.synchronize(queue);
  const wallMs = performance.now() - start;
  return { kernelMs: wallMs, wallMs };
}

/** The device new tensors are made on: `'cpu'` or `'cuda:N'`. */
export function device(): string {
  return currentBackend().device;
}

/**
 * Sets the device new tensors are made on; inside withDevice(), until its end.
 * @param name `'cpu'`, `'cuda'` (its first device) or `'cuda:1'`.
 * @throws DeviceError when there is no such device; the message says what is missing.
 */
export function setDevice(name: string): void {
  const backend = backendOf('setDevice', name);
  const scope = scopes?.getStore();
  if (scope === undefined) current = backend;
  else scope.backend = backend;
}

/**
 * Runs `fn` with another device current, and returns its result. An async `fn` keeps the device through its awaits, while
 * the code around it and other async functions keep theirs.
 */
export function withDevice<T>(name: string, fn: () => T): T {
  const backend = backendOf('withDevice', name);
  scopes ??= new AsyncLocalStorage();
  return scopes.run({ backend }, fn);
}

/** The devices that work: name, memory in bytes, compute capability and library versions where there are any. */
export function devices(): DeviceDescription[] {
  const cpu = loadAddon('cpu')
    .devices()
    .map((found): DeviceDescription => ({ ...found, device: 'cpu' }));
  const cuda = loadCuda.works() ? loadCuda().devices : [];
  return [...cpu, ...cuda.map((found, index): DeviceDescription => ({ ...found, device: `cuda:${index}` }))];
}
