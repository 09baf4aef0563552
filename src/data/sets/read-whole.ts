// Reads all of a set, whatever kind it is, and says in words what it found: how a set is verified.
import { readImageSet } from '../images/image-sets.js';
import { PUBLISHED_PAIRS } from '../text/pair-sets.js';
import { readPairs } from '../text/read-pairs.js';
import { readVectors } from '../text/glove.js';
import type { DataSetEntry, ImageSetEntry, PairForm, VectorForm } from './entry.js';
import type { Location } from './locate.js';

const number = new Intl.NumberFormat('en-GB');

/** `60,000 + 10,000 images` */
function sizes(parts: readonly { readonly size: number }[], what: string): string {
  const counts = parts.map(({ size }) => size).filter((size) => size > 0);
  return `${counts.map((count) => number.format(count)).join(' + ')} ${what}`;
}

/**
 * Reads every record of a set's files.
 * @returns What they hold, in words.
 * @throws FileFormatError at the first record that is wrong.
 */
export async function readWhole(set: DataSetEntry, found: Location): Promise<string> {
  const { form, paths } = found;
  switch (form.format) {
    case 'idx':
    case 'cifar': {
      const { train, validation, test } = await readImageSet(set as ImageSetEntry, form, (file) => paths.get(file)!);
      return sizes([train, validation, test], 'images');
    }
    case 'glove': {
      const { vocabulary, dimension } = await readVectors(found as Location<VectorForm>);
      return `${number.format(vocabulary.size - 1)} words of ${dimension} numbers`;
    }
    default: {
      const name = set.name as keyof typeof PUBLISHED_PAIRS;
      const { train, validation, test, full } = await readPairs(
        set as DataSetEntry<PairForm>,
        found as Location<PairForm>,
        PUBLISHED_PAIRS[name],
      );
      const parts = [train, validation, test];
      const unlabelled = parts.reduce((sum, part) => sum + part.unlabelled, 0);
      const rest = unlabelled === 0 ? '' : `, ${number.format(unlabelled)} without a label`;
      return `${sizes(parts, 'pairs')}${rest} (${full ? 'the whole set' : 'a part of the set'})`;
    }
  }
}
