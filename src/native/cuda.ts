// The CUDA addon, loaded once it was found to work.
import { DeviceError } from '../errors.js';
import type { Addon, NativeDevice } from './addon.js';
import { loadAddon } from './load.js';
import { probeCuda } from './probe.js';

export interface Cuda {
  readonly addon: Addon;
  readonly devices: readonly NativeDevice[];
}

let loaded: Cuda | undefined;

/** Loads the CUDA backend; throws DeviceError with the reason where CUDA cannot work. */
export function loadCuda(): Cuda {
  if (loaded !== undefined) return loaded;
  const probe = probeCuda();
  if (!probe.works) throw new DeviceError('ERR_DEVICE', `selfnorm: CUDA does not work here: ${probe.reason}`);
  probe.preload();
  const addon = loadAddon('cuda');
  loaded = { addon, devices: addon.devices() };
  return loaded;
}

/** True when the CUDA backend is built and a device answers. */
loadCuda.works = (): boolean => probeCuda().works;
