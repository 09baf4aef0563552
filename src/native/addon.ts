// The contract of the native addons, written by hand: what binding/addon.cc exports.

/** One row of the activation table (cuda/kernels/activations.h). */
export interface ActivationFacts {
  readonly name: string;
  /** What backward needs: the output where the formula allows, so that forward may overwrite its input. */
  readonly saves: 'input' | 'output';
  readonly parameters: readonly { readonly name: string; readonly fallback: number; readonly minimum: number }[];
  /** Inputs at which the derivative jumps. */
  readonly kinks: readonly number[];
}

export interface NativeDevice {
  readonly name: string;
  readonly memory: number;
  readonly [detail: string]: string | number;
}

export interface NativeMemory {
  readonly numTensors: number;
  readonly numBytes: number;
  readonly inUseBytes: number;
  readonly cachedBytes: number;
  readonly peakBytes: number;
  readonly programs: readonly NativeProgramFacts[];
}

/** A recorded step; owned by this object. */
export type NativeProgram = object;

export interface NativeProgramFacts {
  /** Kernels, copies and fills of one replay. */
  readonly launches: number;
  /** Memory of its own, in bytes, */
  readonly arenaBytes: number;
  /** and the most that is in use of it at one time. */
  readonly liveBytes: number;
}

/** What was measured for one class of problems, and so chosen. */
export interface KernelChoice {
  readonly op: string;
  readonly problem: string;
  /** Best first; infinite where the engine failed, negative where nothing was measured. */
  readonly engines: readonly { readonly name: string; readonly milliseconds: number }[];
}

/** An object that holds a tensor's id; the addon ties the tensor's life to it. */
export type TensorHolder = object;

export interface Addon {
  /** Of the package it was built from. */
  readonly version: string;
  /** Arguments and results of `call`, `alias` and `create`: see binding/call.cc for the layout. */
  readonly frame: Float64Array;
  call(queue: number, op: number, ...holders: TensorHolder[]): void;
  alias(holder: TensorHolder): void;
  dispose(id: number): void;
  devices(): NativeDevice[];
  ops(): string[];
  activations(): ActivationFacts[];
  kernelChoices(): KernelChoice[];
  openQueue(device: number): number;
  create(queue: number, holder: TensorHolder, bytes: Uint8Array): void;
  markVariable(id: number): void;
  write(id: number, bytes: Uint8Array): void;
  readSync(id: number): ArrayBuffer;
  readAsync(id: number): Promise<ArrayBuffer>;
  memory(queue: number): NativeMemory;
  sweep(): void;
  releaseCache(queue: number): void;
  setMemoryLimit(queue: number, bytes: number): void;
  /**
   * For tests: allocation `first` from now on (0: the next) and those behind it fail, `count` in all. Returns how many there were since
   * the last call.
   */
  failAllocations(queue: number, first: number, count: number): number;
  setFloat32Precision(queue: number, fast: boolean): void;
  synchronize(queue: number): void;
  /** The number of the first argument that must be copied to be told from the others; -1: recording has begun. */
  recordBegin(queue: number): number;
  recordedHere(id: number): boolean;
  /** The Program, or the reason why there is none. */
  recordEnd(): NativeProgram | string;
  recordCancel(): void;
  replay(program: NativeProgram, ...holders: TensorHolder[]): void;
  settle(queue: number): Promise<void>;
  checkProgram(program: NativeProgram): void;
  describeProgram(program: NativeProgram): NativeProgramFacts;
  disposeProgram(program: NativeProgram): void;
  /** Collectives over the processes of a job, in the queue's order; their results are there after finishCollectives. */
  beginAllReduce(id: number): void;
  beginBroadcast(id: number, root: number): void;
  /** What follows on the queue finds them done. The frame names as many tensors, whose memory is in use until here. */
  finishCollectives(queue: number, tensors: number): void;
  collectivesDone(): Promise<void>;
}

/** What CUDA's addon exports besides (binding/nccl.cc). */
export interface CudaAddon extends Addon {
  ncclId(library: string): ArrayBuffer;
  openNccl(library: string, id: Uint8Array, rank: number, size: number, device: number): Promise<string>;
  closeNccl(): void;
}

/** What the CPU's addon exports besides (binding/mpi.cc). */
export interface CpuAddon extends Addon {
  openMpi(module: string): Promise<{ rank: number; size: number; library: string }>;
  exchange(bytes: Uint8Array): Promise<ArrayBuffer[]>;
  closeMpi(): Promise<void>;
  abortJob(code: number): never;
}
