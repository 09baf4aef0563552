// Bytes read as decisions. A fuzzer changes bytes; read through here they become files of a format's grammar, most of them nearly
// right, which get behind a reader's first checks.

/** Decisions from bytes; when they are used up, every further one is the first choice. */
export class Choices {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.#at++] ?? 0;
  }

  /** An integer from 0 up to but without `most`. */
  below(most: number): number {
    if (most <= 1) return 0;
    return (most <= 256 ? this.byte() : this.byte() + 256 * this.byte()) % most;
  }

  /** Whether something happens that happens once in `oneIn` times. */
  rarely(oneIn: number): boolean {
    return this.below(256) >= 256 - Math.ceil(256 / oneIn);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** So many things as are decided, at most `most`. */
  list<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, index) => make(index));
  }

  /** The next bytes, fewer where they end. */
  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** Bytes of this many, whether there are as many or not. */
  filled(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    bytes.set(this.take(Math.min(count, this.below(64))));
    return bytes;
  }

  rest(): Uint8Array {
    return this.take(this.bytes.length);
  }

  /** Whether nothing is left to decide with. */
  get isSpent(): boolean {
    return this.#at >= this.bytes.length;
  }
}

/** Numbers that readers stumble over. */
export const AWKWARD_NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  7,
  255,
  256,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  1e308,
  -0.5,
  1e-320,
] as const;

/** Texts that readers stumble over. */
export const AWKWARD_TEXTS = [
  '',
  ' ',
  'a',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '0x10',
  '\u0000',
  '\ud800',
  '\u2028',
  '"',
  '\\',
  ',',
  '\t',
  '\r',
  '../../etc/passwd',
  '/',
  'é'.repeat(40),
  '😀',
] as const;
