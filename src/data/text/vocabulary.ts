// Words and their numbers: most frequent first, as in Keras's Tokenizer, and 0 for padding. Texts become rows of one Int32Array
// without arrays of words in between.
import { failure, invalid } from '../../errors.js';
import { checkPadding, type PaddedSequences, type PadOptions } from './pad-sequences.js';
import { Tokenizer } from './tokenizer.js';

/** Options of `data.vocabulary`. */
export interface VocabularyOptions {
  /** How many ids there are at most, padding and `oovToken` among them, as Keras's `num_words`: the rarest words have none. */
  readonly numWords?: number;
  /** A word that stands for all unknown ones and has id 1. Without it they are left out, as in Keras. */
  readonly oovToken?: string;
  /** Default: `data.tokenizer()`. */
  readonly tokenizer?: Tokenizer;
}

/** Texts as rows of ids. */
export interface PaddedTexts extends PaddedSequences {
  /** Words of all texts, before anything was cut off. */
  readonly tokens: number;
  /** Words without an id among them. */
  readonly unknown: number;
}

/** Words by id and ids by word. */
export class Vocabulary {
  /** Words by id; `words[0]`, the padding, is `''`. */
  readonly words: readonly string[];
  /** How often each word, by id, was in the texts; 0 for the padding, the count of all words without an id for `oovToken`. */
  readonly counts: Float64Array;
  readonly oovToken: string | undefined;
  readonly tokenizer: Tokenizer;
  /** How many words the texts had: different ones, and all. */
  readonly seen: { readonly types: number; readonly tokens: number };
  readonly #ids = new Map<string, number>();

  /** @param counted Words with how often they were seen, in the order in which equal counts are to stand. */
  constructor(counted: ReadonlyMap<string, number>, options: VocabularyOptions = {}) {
    const { numWords = Infinity, oovToken, tokenizer = new Tokenizer() } = options;
    const reserved = oovToken === undefined ? 1 : 2;
    if (numWords !== Infinity && !(Number.isSafeInteger(numWords) && numWords >= reserved)) {
      throw invalid('ERR_ARGUMENT', 'data.vocabulary', 'numWords', `an integer of at least ${reserved}`, numWords);
    }
    const ordered = [...counted].filter(([word]) => word !== oovToken).sort(([, a], [, b]) => b - a);
    const kept = ordered.slice(0, numWords - reserved);
    const tokens = sum(counted.values());
    const unknown = tokens - sum(kept.map(([, count]) => count));
    const special: [string, number][] =
      oovToken === undefined
        ? [['', 0]]
        : [
            ['', 0],
            [oovToken, unknown],
          ];
    const rows = [...special, ...kept];
    this.words = rows.map(([word]) => word);
    this.counts = Float64Array.from(rows, ([, count]) => count);
    this.oovToken = oovToken;
    this.tokenizer = tokenizer;
    this.seen = { types: counted.size, tokens };
    rows.forEach(([word], id) => id > 0 && this.#ids.set(word, id));
  }

  /** How many ids there are, padding included: `inputDim` of an embedding. */
  get size(): number {
    return this.words.length;
  }

  /** A word's id; undefined where it has none. */
  idOf(word: string): number | undefined {
    return this.#ids.get(word);
  }

  /** The ids of each text's words. */
  textsToSequences(texts: readonly string[]): number[][] {
    return texts.map((text) => {
      const ids: number[] = [];
      this.tokenizer.eachWord(text, (word) => {
        const id = this.#ids.get(word) ?? this.#oov();
        if (id !== 0) ids.push(id);
      });
      return ids;
    });
  }

  /**
   * Texts as rows of equal length: `padSequences(textsToSequences(texts))`, with an account of the unknown words.
   * @returns int32 ids `[texts, maxLen]`, ready for `tensor(ids, shape, 'int32')`.
   */
  textsToPadded(texts: readonly string[], options: PadOptions = {}): PaddedTexts {
    const { padding, truncating, value, ...given } = checkPadding('Vocabulary.textsToPadded', options);
    const maxLen = given.maxLen ?? this.#longest(texts);
    const ids = new Int32Array(texts.length * maxLen).fill(value);
    const oov = this.#oov();
    let [tokens, unknown, truncated] = [0, 0, 0];
    let row = new Int32Array(256);
    let length = 0;
    const take = (word: string): void => {
      tokens++;
      let id = this.#ids.get(word);
      if (id === undefined) {
        unknown++;
        id = oov;
        if (id === 0) return;
      }
      if (length === row.length) row = grown(row);
      row[length++] = id;
    };
    for (let at = 0; at < texts.length; at++) {
      length = 0;
      this.tokenizer.eachWord(texts[at]!, take);
      const kept = Math.min(length, maxLen);
      if (kept < length) truncated++;
      const from = truncating === 'pre' ? length - kept : 0;
      const to = at * maxLen + (padding === 'pre' ? maxLen - kept : 0);
      for (let i = 0; i < kept; i++) ids[to + i] = row[from + i]!;
    }
    return { ids, shape: [texts.length, maxLen], truncated, tokens, unknown };
  }

  #oov(): number {
    return this.oovToken === undefined ? 0 : 1;
  }

  #longest(texts: readonly string[]): number {
    return this.textsToSequences(texts).reduce((most, { length }) => Math.max(most, length), 0);
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function grown(row: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(row.length * 2);
  larger.set(row);
  return larger;
}

/**
 * The words of texts, most frequent first; equally frequent ones in the order of their first appearance.
 * @param texts One or more collections: `data.vocabulary([train.premises, train.hypotheses])`, or one: `data.vocabulary(texts)`.
 * @throws ArgumentError for anything that is no text.
 */
export function vocabulary(texts: Iterable<string | Iterable<string>>, options: VocabularyOptions = {}): Vocabulary {
  const cut = options.tokenizer ?? new Tokenizer();
  const counted = new Map<string, number>();
  const take = (word: string): void => void counted.set(word, (counted.get(word) ?? 0) + 1);
  let index = 0;
  const add = (text: string): void => {
    if (typeof text !== 'string') {
      throw invalid('ERR_ARGUMENT', 'data.vocabulary', `texts: text ${index}`, 'a string', text);
    }
    index++;
    cut.eachWord(text, take);
  };
  if (typeof texts === 'string') throw failure('ERR_ARGUMENT', 'data.vocabulary', 'texts: expected a list, got a text');
  for (const each of texts) {
    if (typeof each === 'string') add(each);
    else for (const text of each) add(text);
  }
  return new Vocabulary(counted, { ...options, tokenizer: cut });
}
