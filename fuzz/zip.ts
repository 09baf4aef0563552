// A zip archive of one file, stored: enough of the format that a reader gets to its parts.
import { crc32 } from './crc32.js';
import { AWKWARD_NUMBERS, type Choices } from './choices.js';

/** The archive; now and then a size or a place in it is wrong. */
export function zipped(name: string, bytes: Uint8Array, choices: Choices): Uint8Array {
  const number = (right: number): number => (choices.rarely(40) ? choices.pick(AWKWARD_NUMBERS) >>> 0 : right);
  const path = Buffer.from(choices.rarely(10) ? `__MACOSX/${name}` : name);
  const sum = crc32(bytes);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20);
  fields.writeUInt16LE(choices.rarely(20) ? choices.byte() : 0, 2);
  fields.writeUInt16LE(choices.rarely(20) ? 8 : 0, 4);
  fields.writeUInt32LE(number(sum), 10);
  fields.writeUInt32LE(number(bytes.length), 14);
  fields.writeUInt32LE(number(bytes.length), 18);
  fields.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, path, bytes]);
  const after = Buffer.alloc(14);
  after.writeUInt32LE(number(0), 10);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), fields, after, path]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(number(central.length), 12);
  end.writeUInt32LE(number(local.length), 16);
  return Buffer.concat([local, central, end]);
}
