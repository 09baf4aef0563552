// Images: PNG chunk by chunk, JPEG segment by segment, alone and as records of a file.
import { deflateSync } from 'node:zlib';
import { imageList } from '../src/data/index.js';
import { readJpegRecords } from '../src/data/images/jpeg-records.js';
import { dispose } from '../src/index.js';
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AWKWARD_NUMBERS, type Choices } from './choices.js';
import { crc32 } from './crc32.js';
import { damaged } from './damage.js';
import type { Target } from './target.js';

/** A JPEG of 8 x 8 pixels. */
const JPEG = Buffer.from(
  '/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYa' +
    'KCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAIAAgDAREAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAA' +
    'Af/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAUAQEAAAAAAAAAAAAAAAAAAAAA/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AAf/Z',
  'base64',
);

function chunk(kind: string, content: Uint8Array, choices: Choices): Uint8Array {
  const name = Buffer.from(kind, 'latin1');
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(choices.rarely(40) ? choices.pick(AWKWARD_NUMBERS) >>> 0 : content.length);
  name.copy(frame, 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(choices.rarely(40) ? 0 : crc32(Buffer.concat([name, content])));
  return Buffer.concat([frame, content, sum]);
}

function png(choices: Choices): Uint8Array {
  const side = (): number => (choices.rarely(10) ? choices.pick(AWKWARD_NUMBERS) >>> 0 : 1 + choices.below(9));
  const [width, height] = [side(), side()];
  const depth = choices.pick([8, 8, 16, 1, 2, 4, 3]);
  const colour = choices.pick([2, 2, 0, 3, 4, 6, 1]);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([depth, colour, choices.rarely(20) ? 1 : 0, choices.rarely(20) ? 1 : 0, choices.rarely(6) ? 1 : 0], 8);
  const samples = [1, 1, 3, 1, 2, 1, 4][colour]!;
  const bytes = height * (1 + Math.ceil((width * samples * depth) / 8));
  const pixels = choices.filled(Math.min(bytes, 4096));
  const parts = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head, choices)];
  if (colour === 3) parts.push(chunk('PLTE', choices.filled(3 * choices.below(8)), choices));
  for (const kind of ['tRNS', 'gAMA', 'iCCP', 'tEXt', 'eXIf'].filter(() => choices.rarely(6))) {
    parts.push(chunk(kind, choices.filled(choices.below(24)), choices));
  }
  parts.push(chunk('IDAT', damaged(deflateSync(pixels), choices), choices));
  if (!choices.rarely(20)) parts.push(chunk('IEND', new Uint8Array(), choices));
  return Buffer.concat(parts);
}

/** The segments of a JPEG file, in other numbers and with other sizes now and then. */
function jpeg(choices: Choices): Uint8Array {
  const segments: Buffer[] = [];
  for (let at = 2; JPEG[at + 1] !== 0xda;) {
    const end = at + 2 + JPEG.readUInt16BE(at + 2);
    segments.push(Buffer.from(JPEG.subarray(at, end)));
    at = end;
  }
  const head = segments.reduce((sum, { length }) => sum + length, 2);
  const parts: Uint8Array[] = [JPEG.subarray(0, 2)];
  for (const segment of segments) {
    if (choices.rarely(12)) continue;
    if (segment[1] === 0xc0) {
      if (choices.rarely(4)) segment.writeUInt16BE(choices.pick([0, 1, 9, 4096, 65535]), 5);
      if (choices.rarely(8)) segment[1] = choices.pick([0xc1, 0xc2, 0xc4, 0xc9, 0xdd]);
    }
    if (choices.rarely(6)) segment[choices.below(segment.length)] = choices.byte();
    parts.push(segment);
    if (choices.rarely(12)) parts.push(segment);
  }
  return Buffer.concat([...parts, damaged(JPEG.subarray(head), choices)]);
}

/** Records of a label, a length and a JPEG each. */
function records(choices: Choices): Uint8Array {
  const made = choices.list(3, () => {
    const image = jpeg(choices);
    const length = choices.rarely(10) ? choices.below(65536) : image.length;
    return Buffer.concat([Buffer.from([choices.below(11), length % 256, length >> 8]), image]);
  });
  return Buffer.concat(made);
}

export const images: Target = {
  files: ['image.png', 'records.bin'],
  build: (choices) => [
    damaged(choices.byte() % 2 === 0 ? png(choices) : jpeg(choices), choices),
    damaged(records(choices), choices),
  ],
  async read([image, file], choices) {
    const onBadRecord = choices.pick(['error', 'skip'] as const);
    if (choices.byte() % 4 === 3) {
      await readJpegRecords('fuzz', [file!], 10, [8, 8, 3], onBadRecord);
      return;
    }
    const list = join(dirname(image!), 'list.txt');
    writeFileSync(list, `${basename(image!)} 0\n`);
    const found = await imageList(list, {
      folder: dirname(image!),
      classNames: ['a'],
      imageSize: choices.pick([1, 8]),
      fit: choices.pick(['cover', 'contain', 'fill']),
      colorMode: choices.pick(['rgb', 'grayscale', 'lightness']),
      dtype: choices.pick(['float32', 'uint8']),
      onBadRecord,
    });
    for (const element of await found.toArray()) dispose(element);
  },
};
