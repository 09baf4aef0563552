// Whether CUDA can work here.

/** The answer, with the reason where CUDA cannot work. */
export interface CudaProbe {
  readonly works: boolean;
  readonly reason: string;
  /** Loads the CUDA libraries by full path, so that the addon's needs are met by soname. */
  preload(): void;
}

/** Asks once a process. */
export function probeCuda(): CudaProbe {
  return { works: false, reason: 'the CUDA backend is not built', preload: () => undefined };
}
