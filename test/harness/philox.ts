// Philox4x32-10 written again from the paper, in BigInt: what the random ops' bits are held against.
const MASK = 0xffffffffn;

/** The four words for a counter and a key, words given lowest first. */
export function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & MASK, (p0 >> 32n) ^ c3 ^ k1, p0 & MASK];
    k0 = (k0 + 0x9e3779b9n) & MASK;
    k1 = (k1 + 0xbb67ae85n) & MASK;
  }
  return [c0, c1, c2, c3];
}

/** The first n words drawn under a seed and an offset. */
export function randomWords(n: number, seed: number, offset = 0): number[] {
  const key = BigInt.asUintN(64, BigInt(seed));
  const words: number[] = [];
  for (let group = 0n; words.length < n; group++) {
    const counter = [group & MASK, group >> 32n, BigInt(offset), 0n];
    words.push(...philox(counter, [key & MASK, key >> 32n]).map(Number));
  }
  return words.slice(0, n);
}

/** The first n draws of 16 bits, as dropout takes them. */
export const randomHalves = (n: number, seed: number, offset = 0): number[] =>
  randomWords(Math.ceil(n / 2), seed, offset)
    .flatMap((word) => [word & 0xffff, word >>> 16])
    .slice(0, n);
