// The wire format of protocol buffers, as far as event files and ONNX need it: numbers, bytes, messages within messages. A message
// is the list of its fields' bytes.

/** A field's bytes, or none for a field that is left out. */
export type Field = Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: number): number[] {
  const bytes: number[] = [];
  // Division in place of shifts: steps and sizes may exceed 32 bits.
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

const tag = (field: number, wireType: number): number[] => varint(field * 8 + wireType);

/** A whole number of at least 0, below 2^53. */
export const whole = (field: number, value: number): Field =>
  Uint8Array.from([...tag(field, VARINT), ...varint(value)]);

/** A float64. */
export function double(field: number, value: number): Field {
  const bytes = Uint8Array.from([...tag(field, FIXED64), ...new Array<number>(8).fill(0)]);
  new DataView(bytes.buffer).setFloat64(bytes.length - 8, value, true);
  return bytes;
}

/** A float32. */
export function float(field: number, value: number): Field {
  const bytes = Uint8Array.from([...tag(field, FIXED32), ...new Array<number>(4).fill(0)]);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
  return bytes;
}

/** Bytes, text or a message. */
export function bytes(field: number, value: Uint8Array | string): Field {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Uint8Array.from([...tag(field, BYTES), ...varint(content.length)]), content]);
}

/** A list of float64s, packed. */
export function doubles(field: number, values: readonly number[]): Field {
  const packed = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, i) => packed.setFloat64(i * 8, value, true));
  return bytes(field, new Uint8Array(packed.buffer));
}

/** A message of fields. */
export const message = (...fields: readonly Field[]): Uint8Array => Buffer.concat(fields);
