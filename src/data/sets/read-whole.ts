// Reads all of a set, whatever kind it is, and says in words what it found: how a set is verified.
import { existsSync } from 'node:fs';
import { failure } from '../../errors.js';
import { findPhotos } from '../images/photo-sets.js';
import { readImageSet } from '../images/image-sets.js';
import { readPairs } from '../text/read-pairs.js';
import { readVectors } from '../text/glove.js';
import type { DataSetEntry, ImageSetEntry, PairForm, PhotoForm, PhotoSetEntry, VectorForm } from './entry.js';
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
    case 'cifar':
    case 'jpeg-records': {
      const { train, validation, test } = await readImageSet(set as ImageSetEntry, form, (file) => paths.get(file)!);
      return sizes([train, validation, test], 'images');
    }
    case 'image-lists':
    case 'class-folders': {
      // Decoding millions of photographs takes hours: that each is there is all that is looked at.
      const { train, validation } = await findPhotos(set as PhotoSetEntry, found as Location<PhotoForm>);
      const files = [...train.files, ...validation.files];
      const missing = files.filter((file) => !existsSync(file));
      if (missing.length > 0) {
        const what = `${number.format(missing.length)} of ${number.format(files.length)} images are missing`;
        throw failure('ERR_FILE_FORMAT', set.op, `${what}, the first ${missing[0]}`);
      }
      return `${number.format(train.files.length)} + ${number.format(validation.files.length)} image files`;
    }
    case 'glove': {
      const { vocabulary, dimension } = await readVectors(found as Location<VectorForm>);
      return `${number.format(vocabulary.size - 1)} words of ${dimension} numbers`;
    }
    default: {
      const { train, validation, test, full } = await readPairs(
        set as DataSetEntry<PairForm>,
        found as Location<PairForm>,
      );
      const parts = [train, validation, test];
      const unlabelled = parts.reduce((sum, part) => sum + part.unlabelled, 0);
      const rest = unlabelled === 0 ? '' : `, ${number.format(unlabelled)} without a label`;
      return `${sizes(parts, 'pairs')}${rest} (${full ? 'the whole set' : 'a part of the set'})`;
    }
  }
}
