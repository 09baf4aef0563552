// NCCL between the GPUs of a job: found where CUDA's libraries are, joined by an id that rank 0 makes and tells the other hosts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromNative } from '../errors.js';
import type { CudaAddon } from '../native/addon.js';
import { cheapFolders, pythonFolders, searchSettings } from '../native/cuda-places.js';
import type { Backend } from '../tensor/backend.js';
import type { Group } from './group.js';

const FILE = 'libnccl.so.2';

/** Path of the library; its name alone, for the dynamic linker to find, where it is in none of the places of CUDA's. */
export function ncclPath(settings = searchSettings()): string {
  const inFolders = (folders: readonly string[]): string | undefined =>
    folders.map((folder) => join(folder, FILE)).find((file) => existsSync(file));
  return inFolders(cheapFolders(settings)) ?? inFolders(pythonFolders(settings)) ?? FILE;
}

/** Joins the job with a device. Every rank calls it. */
export async function openNccl(group: Group, { addon, device }: Backend): Promise<void> {
  const cuda = addon as CudaAddon;
  const library = ncclPath();
  try {
    const made = group.rank === 0 ? [...new Uint8Array(cuda.ncclId(library))] : [];
    const id = await group.fromFirst('NCCL', made);
    await cuda.openNccl(library, Uint8Array.from(id), group.rank, group.size, Number(device.slice(5)));
  } catch (error) {
    throw fromNative('distributed.init', error);
  }
}
