// A zip archive of stored files: enough of the format that a reader gets to its parts.
import { crc32 } from './crc32.js';
import { AWKWARD_NUMBERS, type Choices } from './choices.js';

/** The archive; now and then a size or a place in it is wrong. */
export function zipped(files: readonly (readonly [name: string, bytes: Uint8Array])[], choices: Choices): Uint8Array {
  const number = (right: number): number => (choices.rarely(40) ? choices.pick(AWKWARD_NUMBERS) >>> 0 : right);
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let place = 0;
  for (const [name, bytes] of files) {
    const path = Buffer.from(choices.rarely(20) ? `__MACOSX/${name}` : name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20);
    fields.writeUInt16LE(choices.rarely(20) ? choices.byte() : 0, 2);
    fields.writeUInt16LE(choices.rarely(20) ? 8 : 0, 4);
    fields.writeUInt32LE(number(crc32(bytes)), 10);
    fields.writeUInt32LE(number(bytes.length), 14);
    fields.writeUInt32LE(number(bytes.length), 18);
    fields.writeUInt16LE(path.length, 22);
    const after = Buffer.alloc(14);
    after.writeUInt32LE(number(place), 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0'), fields, after, path);
    const local = [Buffer.from('PK\x03\x04'), fields, path, bytes];
    parts.push(...local);
    place += local.reduce((sum, { length }) => sum + length, 0);
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(number(central.length), 12);
  end.writeUInt32LE(number(place), 16);
  return Buffer.concat([...parts, central, end]);
}
