// Loads the addons. The CPU's is required; CUDA's is tried when a CUDA device is asked for or chosen by default.
import { createRequire } from 'node:module';
import { DeviceError } from '../errors.js';
import type { Addon } from './addon.js';
import { addonPath } from './paths.js';

const require = createRequire(import.meta.url);

/** Loads an addon that was found to work; the error says how to build it. */
export function loadAddon(kind: 'cpu' | 'cuda'): Addon {
  const path = addonPath(kind);
  try {
    return require(path) as Addon;
  } catch (error) {
    throw new DeviceError(
      'ERR_DEVICE',
      `selfnorm: the ${kind} backend could not be loaded from ${path}: ${error instanceof Error ? error.message : String(error)}; build it with: npx selfnorm build`,
    );
  }
}
