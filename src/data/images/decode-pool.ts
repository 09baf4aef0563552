// The decoding threads: started when the first image is asked for, shared by all folders, and kept. They do not keep the process
// alive unless somebody waits for them.
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { failure, type SelfnormError } from '../../errors.js';
import type { DecodePlan, DecoderReady, DecodeResult, DecodeTask } from './decode-plan.js';

interface Waiting {
  readonly resolve: (result: DecodeResult) => void;
  readonly reject: (error: Error) => void;
}

/** A thread with its program: beside this one in the bundle, a source file, which tsx translates, in the source tree. */
function startThread(): Worker {
  const bundled = new URL('./decode-worker.cjs', import.meta.url);
  if (existsSync(bundled)) return new Worker(bundled);
  const source = new URL('./decode-worker.ts', import.meta.url).href;
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import('${source}'); })`;
  return new Worker(load, { eval: true });
}

/** A thread and what it is at. */
class Decoder {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #dead: SelfnormError | undefined;

  constructor() {
    this.#worker = startThread();
    this.#worker.on('message', (message: DecodeResult | DecoderReady) => this.#take(message));
    this.#worker.on('error', (error: Error) => this.#fail(`a decoding thread ended: ${error.message}`));
    this.#worker.on('exit', (code) => this.#fail(`a decoding thread ended with code ${code}`));
    this.#worker.unref();
  }

  /** How many tasks it has. */
  get load(): number {
    return this.#waiting.size;
  }

  get dead(): boolean {
    return this.#dead !== undefined;
  }

  decode(task: DecodeTask): Promise<DecodeResult> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(task.id, { resolve, reject });
      this.#worker.postMessage(task);
    });
  }

  #take(message: DecodeResult | DecoderReady): void {
    if ('ready' in message) {
      if (message.ready) return;
      return this.#fail(`images are decoded by sharp, which cannot be loaded: ${message.reason}; npm install sharp`);
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    waiting?.resolve(message);
  }

  #fail(reason: string): void {
    this.#dead ??= failure('ERR_ARGUMENT', 'data.imageFolder', reason);
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
    void this.#worker.terminate();
  }
}

const decoders: Decoder[] = [];
let lastTask = 0;

/**
 * Decodes some images.
 * @param threads How many threads there are to be at least.
 * @throws ArgumentError when sharp is not there.
 */
export function decode(
  plan: DecodePlan,
  sources: readonly (string | Uint8Array)[],
  corners: Int32Array,
  threads: number,
): Promise<DecodeResult> {
  // A thread that ended is replaced: sharp may have been installed meanwhile.
  for (let i = decoders.length - 1; i >= 0; i--) if (decoders[i]!.dead) decoders.splice(i, 1);
  while (decoders.length < threads) decoders.push(new Decoder());
  const idlest = decoders.slice(0, threads).reduce((best, each) => (each.load < best.load ? each : best));
  return idlest.decode({ id: ++lastTask, plan, sources, corners });
}
