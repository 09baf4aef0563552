// Every reader of files that the fuzzer knows, by the name its corpus has.
import { cifar } from './cifar.js';
import { csv } from './csv.js';
import { glove } from './glove.js';
import { idx } from './idx.js';
import { images } from './images.js';
import { npz } from './npz.js';
import { pairs } from './pairs.js';
import { safetensors } from './safetensors.js';
import type { Target } from './target.js';
import { tfjsModel } from './tfjs-model.js';
import { tokens } from './tokens.js';

export const READERS: Readonly<Record<string, Target>> = {
  safetensors,
  'tfjs-model': tfjsModel,
  idx,
  pairs,
  glove,
  images,
  npz,
  csv,
  cifar,
  tokens,
};
