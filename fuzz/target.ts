// What is the same for every reader under the fuzzer. An input's first byte says how the others are meant: as the file itself, or as
// decisions by which a file is built. A reader may read the file or throw a SelfnormError; anything else ends the run, and so
// do tensors or memory that are left behind. The fuzzer itself ends it where a reader hangs.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, randomNormal, SelfnormError, setMemoryLimit } from '../src/index.js';
import { Choices } from './choices.js';

/** A reader and the grammar of its files. */
export interface Target {
  /** Files it reads, by name; the first one is what the fuzzer's bytes are when they are a file. */
  readonly files: readonly string[];
  /** Contents of the files, in their order. */
  build(choices: Choices): (Uint8Array | string)[];
  /** Reads them from their paths. `choices` decide among the reader's options. */
  read(paths: readonly string[], choices: Choices): unknown;
}

/** What reading a small file may leave in memory outside of the device, garbage included. */
const MOST_BYTES = 512 * 2 ** 20;
/** What tensors of a small file may take: readers meet the limit as an error. */
const DEVICE_BYTES = 64 * 2 ** 20;

const IN_MEMORY = '/dev/shm';
let folder: string | undefined;

/** A folder for this process, in memory where the system has one. */
function scratch(): string {
  if (folder === undefined) {
    const made = (folder = mkdtempSync(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), 'selfnorm-fuzz-')));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    setMemoryLimit(DEVICE_BYTES);
    // The generator's state is a tensor that lasts from its first use on.
    randomNormal([1]).dispose();
  }
  return folder;
}

/**
 * Gives a reader one input.
 * @returns Whether it took the file.
 * @throws whatever it threw that is no SelfnormError; an error where something was left behind.
 */
export async function feed(target: Target, data: Uint8Array): Promise<boolean> {
  const place = scratch();
  const isFile = data[0] === 0;
  const choices = new Choices(data.subarray(1, isFile ? 2 : undefined));
  const contents = isFile ? [data.subarray(2)] : target.build(choices);
  const paths = target.files.map((name) => join(place, name));
  paths.forEach((path, i) => {
    const content = contents[i];
    if (content === undefined) rmSync(path, { force: true });
    else writeFileSync(path, content);
  });
  const { numTensors } = memory();
  let taken = true;
  try {
    await target.read(paths, choices);
  } catch (error) {
    if (!(error instanceof SelfnormError)) throw error;
    if (error.code === 'ERR_INTERNAL') throw error;
    if (error.message.includes('\n')) throw new Error(`a message of several lines: ${error.message}`, { cause: error });
    taken = false;
  }
  const left = memory().numTensors - numTensors;
  if (left !== 0) throw new Error(`${left} tensors were left behind`);
  const { arrayBuffers } = process.memoryUsage();
  if (arrayBuffers > MOST_BYTES) throw new Error(`${arrayBuffers} bytes are held in buffers`);
  return taken;
}
