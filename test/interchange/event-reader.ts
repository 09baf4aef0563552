// Reads event files in tests, independently of the writer: records with both checksums by a bitwise CRC-32C, messages by a
// general reader of protocol buffers. That it reads what TensorFlow writes is tested on a file of the real writer.

/** What an event says; a file's first one has the version alone. */
export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version?: string;
  readonly tag?: string;
  readonly scalar?: number;
  readonly histogram?: {
    readonly min: number;
    readonly max: number;
    readonly count: number;
    readonly sum: number;
    readonly sumOfSquares: number;
    readonly limits: number[];
    readonly counts: number[];
  };
  readonly image?: { readonly height: number; readonly width: number; readonly channels: number; readonly png: Buffer };
}

function crc(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1n ? (remainder >> 1n) ^ 0x82f63b78n : remainder >> 1n;
  }
  const sum = remainder ^ 0xffffffffn;
  return Number((((sum >> 15n) | (sum << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

type Value = bigint | Buffer;

/** The fields of a message by number. */
function fieldsOf(message: Buffer): Map<number, Value[]> {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (size: number): Buffer => message.subarray(at, (at += size));
  while (at < message.length) {
    const key = Number(varint());
    const wireType = key & 7;
    const value = wireType === 0 ? varint() : take(wireType === 1 ? 8 : wireType === 5 ? 4 : Number(varint()));
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return fields;
}

const bytesIn = (fields: Map<number, Value[]>, field: number): Buffer | undefined =>
  fields.get(field)?.[0] as Buffer | undefined;
const doubleIn = (fields: Map<number, Value[]>, field: number): number => bytesIn(fields, field)?.readDoubleLE() ?? 0;
const wholeIn = (fields: Map<number, Value[]>, field: number): number => Number(fields.get(field)?.[0] ?? 0);
const doublesIn = (fields: Map<number, Value[]>, field: number): number[] => {
  const packed = bytesIn(fields, field) ?? Buffer.alloc(0);
  return Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(i * 8));
};

function eventOf(message: Buffer): ReadEvent {
  const fields = fieldsOf(message);
  const event = { wallTime: doubleIn(fields, 1), step: wholeIn(fields, 2) };
  const version = bytesIn(fields, 3)?.toString();
  if (version !== undefined) return { ...event, version };
  const value = fieldsOf(bytesIn(fieldsOf(bytesIn(fields, 5)!), 1)!);
  const tag = bytesIn(value, 1)!.toString();
  const scalar = bytesIn(value, 2)?.readFloatLE();
  if (scalar !== undefined) return { ...event, tag, scalar };
  const image = bytesIn(value, 4);
  if (image !== undefined) {
    const parts = fieldsOf(image);
    const [height, width, channels] = [1, 2, 3].map((field) => wholeIn(parts, field)) as [number, number, number];
    return { ...event, tag, image: { height, width, channels, png: bytesIn(parts, 4)! } };
  }
  const parts = fieldsOf(bytesIn(value, 5)!);
  const [min, max, count, sum, sumOfSquares] = [1, 2, 3, 4, 5].map((field) => doubleIn(parts, field)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const histogram = { min, max, count, sum, sumOfSquares, limits: doublesIn(parts, 6), counts: doublesIn(parts, 7) };
  return { ...event, tag, histogram };
}

/** The events of a file. Throws where a checksum is wrong or a record is cut off. */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    if (file.readUInt32LE(at + 8) !== crc(file.subarray(at, at + 8)))
      throw new Error(`record at ${at}: length's checksum`);
    const data = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 12 + length) !== crc(data)) throw new Error(`record at ${at}: data's checksum`);
    events.push(eventOf(Buffer.from(data)));
    at += length + 16;
  }
  return events;
}
