// tfjs is the user's to install: the packages of it that this entry is made of are looked for before anything imports them, so
// that one that is missing is an error of ours. Imported first for that.
import { createRequire } from 'node:module';
import { failure } from '../errors.js';

const PEERS = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'];
/** Loaded when a kernel of the host is first used; who installs the others wants it too. */
const LATER = '@tensorflow/tfjs-backend-cpu';

function installed(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return false;
    throw error;
  }
}

const missing = PEERS.filter((name) => !installed(name));
if (missing.length > 0) {
  const fix = `npm install ${[...PEERS, LATER].join(' ')}`;
  throw failure('ERR_ARGUMENT', 'selfnorm/tfjs', `needs ${missing.join(' and ')}, not found here; ${fix}`);
}
