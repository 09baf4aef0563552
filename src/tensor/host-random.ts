// Random integers drawn on the host, for the order of data. The generator is sfc32 (Chris Doty-Humphrey, PractRand), whose whole
// state follows from the seed words: the same words give the same order on every machine.

/** Random integers that follow from seed words. */
export class HostRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param words Safe integers; all of their bits count. */
  constructor(words: readonly number[]) {
    let hash = 0x9e3779b9;
    const mix = (word: number): number => {
      // Murmur3's finaliser: every bit of the word reaches every bit of the hash.
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      return (hash ^= hash >>> 16);
    };
    for (const word of words) {
      mix(word | 0);
      mix(Math.floor(word / 2 ** 32) | 0);
    }
    [this.#a, this.#b, this.#c] = [mix(1), mix(2), mix(3)];
    for (let i = 0; i < 12; i++) this.#word();
  }

  #word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to `bound - 1`, each as likely as the others; `bound` at most 2^32. */
  below(bound: number): number {
    // The words above the last whole multiple of the bound would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word: number;
    do word = this.#word();
    while (word >= limit);
    return word % bound;
  }
}

/** Numbers from 0 to count - 1 in a random order that follows from the seed words alone. */
export function permutation(count: number, words: readonly number[]): Int32Array {
  const random = new HostRandom(words);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const at = random.below(last + 1);
    const moved = order[at]!;
    order[at] = order[last]!;
    order[last] = moved;
  }
  return order;
}
