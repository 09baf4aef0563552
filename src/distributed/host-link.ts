// Messages between the hosts of a job, whatever carries them.

/** How this process talks to the others of its job. */
export interface HostLink {
  readonly rank: number;
  readonly size: number;
  /** Whether it carries tensors of the CPU as well. */
  readonly movesTensors: boolean;
  /** Name and version of what carries the messages. */
  readonly library: string;
  /** What every rank gives, in the order of ranks. Every rank calls it as often. */
  exchange(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** Leaves the job; waits for the others to leave. */
  close(): Promise<void>;
  /** Ends every process of the job, this one too. */
  abort(code: number): never;
}
