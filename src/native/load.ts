// Loads the addons. The CPU's is required; CUDA's is tried when a CUDA device is asked for or chosen by default.
import { createRequire } from 'node:module';
import { DeviceError } from '../errors.js';
import type { Addon } from './addon.js';
import { version } from '../version.js';
import { addonPath } from './paths.js';

const require = createRequire(import.meta.url);

const BUILD = 'build it with: npx selfnorm build';

/**
 * Loads an addon that was found to work.
 * @throws DeviceError saying how to build it, where it is missing or another version's.
 */
export function loadAddon(kind: 'cpu' | 'cuda', path = addonPath(kind)): Addon {
  let addon: Addon;
  try {
    addon = require(path) as Addon;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DeviceError(
      'ERR_DEVICE',
      `selfnorm: the ${kind} backend could not be loaded from ${path}: ${reason}; ${BUILD}`,
    );
  }
  if (addon.version !== version) {
    const built = `expected one built for version ${version}, got ${addon.version ?? 'an older one'}`;
    throw new DeviceError('ERR_DEVICE', `selfnorm: the ${kind} backend at ${path}: ${built}; ${BUILD}`);
  }
  return addon;
}
