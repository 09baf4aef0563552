// The committed runs that docs/performance.md tells of: its tables are held against them by a test, its pictures drawn from them.
import { readFileSync } from 'node:fs';

const FOLDER = 'bench/results/amd-epyc-2';

/** How the documents name a peer. */
export const PEER_NAMES: Readonly<Record<string, string>> = {
  selfnorm: 'selfnorm',
  torch: 'PyTorch',
  'torch-channels-last': 'PyTorch, channels last',
  keras: 'Keras',
  'tfjs-node': 'tfjs-node',
};

/** Epochs of the MNIST network, by peer. */
export interface TrainingFigures {
  readonly report: readonly {
    readonly peer: string;
    /** Median of the epochs. */
    readonly seconds: number;
    /** Ours by theirs. */
    readonly ratio: number;
    readonly peakBytes: number;
    readonly epochs: readonly number[];
  }[];
}

/** Single ops, by bench. */
export interface OpFigures {
  readonly report: readonly {
    readonly bench: string;
    /** Milliseconds by peer. */
    readonly ms: Readonly<Record<string, number>>;
    /** Ours by the fastest peer's. */
    readonly ratio: number;
  }[];
}

/** A step of the sentence network, by peer, in seconds. */
export interface SentenceFigures {
  readonly report: readonly {
    readonly peer: string;
    readonly relu: number;
    readonly selu: number;
    readonly seluOverRelu: number;
    readonly ratioRelu: number;
    readonly ratioSelu: number;
  }[];
}

const read = <Figures>(run: string): Figures => JSON.parse(readFileSync(`${FOLDER}/${run}.json`, 'utf8')) as Figures;

export const trainingFigures = (): TrainingFigures => read('2026-11-21-2f412d5-training');
export const opFigures = (): OpFigures => read('2026-11-21-483cd0d');
export const sentenceFigures = (): SentenceFigures => read('2026-11-21-8efa818-sentences');

/** `relu forward` of `elementwise/relu/16Mi/float32/forward`; other benches keep their name. */
export const shortName = (bench: string): string =>
  bench.replace(/^elementwise\/(\w+)\/16Mi\/float32\/(\w+)$/, '$1 $2');
