// What happens to files on their way: cut off, a bit turned, a piece missing or twice, packed.
import { gzipSync } from 'node:zlib';
import type { Choices } from './choices.js';

/** The file, mostly as it is; sometimes damaged in one or two places. */
export function damaged(bytes: Uint8Array, choices: Choices): Uint8Array {
  let file = bytes;
  for (let count = choices.pick([0, 0, 0, 1, 1, 2]); count > 0; count--) {
    const at = choices.below(file.length + 1);
    switch (choices.below(5)) {
      case 0:
        file = file.slice(0, at);
        break;
      case 1:
        file = Uint8Array.from(file);
        if (at < file.length) file[at] = choices.byte();
        break;
      case 2:
        file = Buffer.concat([file.subarray(0, at), file.subarray(at + 1 + choices.below(16))]);
        break;
      case 3:
        file = Buffer.concat([file.subarray(0, at), choices.take(choices.below(16)), file.subarray(at)]);
        break;
      default:
        file = Buffer.concat([file, file.subarray(at)]);
    }
  }
  return file;
}

/** The file, packed by gzip now and then; what is packed may be damaged once more. */
export function packed(bytes: Uint8Array, choices: Choices): Uint8Array {
  return choices.rarely(8) ? damaged(gzipSync(bytes, { level: 1 }), choices) : bytes;
}
