// Text to words. The rules are those of Keras's Tokenizer (lower case, characters that are filtered out, blanks between words),
// and one of the Penn Treebank's on top: a contraction is two words. Text that was tokenised that way ("does n't") and text that
// was not ("doesn't") so give the same words, and these are the ones that word vectors have ("does", "n't", "'s").
import { invalid } from '../../errors.js';

/** Keras's: punctuation but the apostrophe, tabs and line ends. */
export const KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n';

const APOSTROPHE = 39;
/** What the Penn Treebank takes off the end of a word. */
const CLITICS = new Set(["'s", "'m", "'d", "'re", "'ve", "'ll", "n't"]);
/** Contractions that are written without an apostrophe, and where the Penn Treebank cuts them. */
const UNMARKED: ReadonlyMap<string, number> = new Map(
  ['can not', 'gon na', 'got ta', 'wan na', 'lem me', 'gim me'].map((pair) => [pair.replace(' ', ''), 3]),
);
const WHITE_SPACE = /\s/;
const BRACKETS = /-[lr][rcs]b-/gi;

/** Options of a tokenizer. */
export interface TokenizerOptions {
  /** Whether words become lower case. Default true. */
  readonly lower?: boolean;
  /** Characters that part words and are in none. Default Keras's: all ASCII punctuation but the apostrophe, tabs and line ends. */
  readonly filters?: string;
  /**
   * `'split'` (default): contractions become two words as in the Penn Treebank, and quotation marks and brackets as it writes them
   * (`''`, `-LRB-`) are no words. `'keep'`: words are what stands between blanks, exactly as Keras does.
   */
  readonly contractions?: 'split' | 'keep';
}

/** Cuts texts into words. */
export class Tokenizer {
  readonly lower: boolean;
  readonly filters: string;
  readonly contractions: 'split' | 'keep';
  /** For each ASCII character whether it parts words. */
  readonly #parts = new Uint8Array(128);
  readonly #otherParts: ReadonlySet<string>;

  /** @throws ArgumentError */
  constructor({ lower = true, filters = KERAS_FILTERS, contractions = 'split' }: TokenizerOptions = {}) {
    if (typeof lower !== 'boolean') throw invalid('ERR_ARGUMENT', 'data.tokenizer', 'lower', 'true or false', lower);
    if (typeof filters !== 'string') throw invalid('ERR_ARGUMENT', 'data.tokenizer', 'filters', 'characters', filters);
    if (contractions !== 'split' && contractions !== 'keep') {
      throw invalid('ERR_ARGUMENT', 'data.tokenizer', 'contractions', "'split' or 'keep'", contractions);
    }
    this.lower = lower;
    this.filters = filters;
    this.contractions = contractions;
    for (let code = 0; code < 128; code++) {
      const character = String.fromCharCode(code);
      const isBlank = contractions === 'split' ? WHITE_SPACE.test(character) : character === ' ';
      if (isBlank || filters.includes(character)) this.#parts[code] = 1;
    }
    this.#otherParts = new Set([...filters].filter((character) => character > '\x7f'));
  }

  /** The words of a text, in order. */
  tokenize(text: string): string[] {
    const words: string[] = [];
    this.eachWord(text, (word) => words.push(word));
    return words;
  }

  /** Calls `take` with each word of a text, in order. */
  eachWord(text: string, take: (word: string) => void): void {
    const split = this.contractions === 'split';
    const parts = this.#parts;
    let clean = this.lower ? text.toLowerCase() : text;
    if (split) clean = withoutTypography(clean);
    const { length } = clean;
    let start = -1;
    let apostrophe = false;
    for (let at = 0; at <= length; at++) {
      const code = at === length ? 32 : clean.charCodeAt(at);
      if (code < 128 ? parts[code] === 0 : !this.#partsOther(clean, at)) {
        if (start < 0) start = at;
        if (code === APOSTROPHE) apostrophe = true;
        continue;
      }
      if (start < 0) continue;
      const word = clean.slice(start, at);
      if (split && (apostrophe || isUnmarked(word))) splitContraction(word, take);
      else take(word);
      start = -1;
      apostrophe = false;
    }
  }

  #partsOther(text: string, at: number): boolean {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    return this.#otherParts.has(character) || (this.contractions === 'split' && WHITE_SPACE.test(character));
  }
}

/** Whether a word is a contraction without an apostrophe; the length alone rules most words out. */
function isUnmarked(word: string): boolean {
  return (word.length === 5 || word.length === 6) && UNMARKED.has(word.toLowerCase());
}

/** Typographic apostrophes as plain ones; brackets spelled out as nothing. */
function withoutTypography(text: string): string {
  let clean = text;
  if (clean.includes('\u2019') || clean.includes('\u2018')) clean = clean.replace(/[\u2018\u2019]/g, "'");
  return clean.includes('b-') || clean.includes('B-') ? clean.replace(BRACKETS, ' ') : clean;
}

/** The words of one that has an apostrophe or is an unmarked contraction. */
function splitContraction(whole: string, take: (word: string) => void): void {
  // "shouldn't've" has two of them; a text may have any number, so they are taken off one by one, from the end.
  const clitics: string[] = [];
  const done = (...words: string[]): void => {
    for (const word of words) take(word);
    for (const clitic of clitics.reverse()) take(clitic);
  };
  let [start, end] = [0, whole.length];
  for (;;) {
    // Apostrophes around a word are quotation marks, or a possessive's that the Treebank makes a word of its own.
    while (end > start && whole.charCodeAt(end - 1) === APOSTROPHE) end--;
    if (isClitic(whole, start, end)) return done(whole.slice(start, end));
    while (start < end && whole.charCodeAt(start) === APOSTROPHE) start++;
    if (start === end) return done();
    const unmarked = end - start <= 6 ? UNMARKED.get(whole.slice(start, end).toLowerCase()) : undefined;
    if (unmarked !== undefined) return done(whole.slice(start, start + unmarked), whole.slice(start + unmarked, end));
    const not = isClitic(whole, end - 3, end) && whole.charCodeAt(end - 2) === APOSTROPHE;
    const cut = not ? end - 3 : whole.lastIndexOf("'", end - 1);
    if (cut <= start || !isClitic(whole, cut, end)) return done(whole.slice(start, end));
    clitics.push(whole.slice(cut, end));
    end = cut;
  }
}

/** Whether a part of a word is what the Penn Treebank takes off: two or three characters. */
function isClitic(word: string, start: number, end: number): boolean {
  return start >= 0 && end - start <= 3 && CLITICS.has(word.slice(start, end).toLowerCase());
}

/** A tokenizer; see `TokenizerOptions`. */
export function tokenizer(options: TokenizerOptions = {}): Tokenizer {
  return new Tokenizer(options);
}
