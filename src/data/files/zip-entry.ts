// One file inside a zip archive as a stream, its checksum compared when it ends: an archive that was damaged on its way is not
// taken for data. The grammar of zip, its 64-bit form included, is yauzl's.
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import type { Entry, ZipFile } from 'yauzl';
import { failure, SelfnormError } from '../../errors.js';
import { checkedAgainst } from '../../files/zip.js';
import { reasonOf } from './file-contents.js';

const DAMAGED = 'the archive is damaged or cut off; fetch it again';

/**
 * Opens a file of an archive.
 * @param name Its name; the folder it is in does not matter. Undefined: the one file there is.
 * @throws FileFormatError when this is no whole archive or has no such file. The stream ends with one when the data is damaged.
 */
export async function openZipEntry(op: string, archive: string, name: string | undefined): Promise<Readable> {
  // Loaded here: most programs never open an archive.
  const { openPromise } = (await import('yauzl')).default;
  let zip: ZipFile | undefined;
  try {
    const opened = (zip = await openPromise(archive, { autoClose: false }));
    const entries: Entry[] = [];
    for await (const entry of opened.eachEntry()) {
      // What macOS adds has the files' names too, in a folder of its own.
      if (!entry.fileName.startsWith('__MACOSX/') && !entry.fileName.endsWith('/')) entries.push(entry);
    }
    const wanted = entries.filter(({ fileName }) => name === undefined || basename(fileName) === name);
    const [entry] = wanted;
    if (entry === undefined || wanted.length > 1) {
      const names = entries.slice(0, 8).map(({ fileName }) => fileName);
      const expected = `expected ${name ?? 'one file'} in the archive, got ${names.join(', ') || 'none'}`;
      throw failure('ERR_FILE_FORMAT', op, `${archive}: ${expected}`);
    }
    const source = await opened.openReadStreamPromise(entry);
    const checked = checkedAgainst(entry.crc32, (what) =>
      failure('ERR_FILE_FORMAT', op, `${archive}: ${entry.fileName}: ${what}; ${DAMAGED}`),
    );
    return pipeline(source, checked, () => opened.close());
  } catch (error) {
    zip?.close();
    if (error instanceof SelfnormError) throw error;
    throw failure('ERR_FILE_FORMAT', op, `${archive}: expected a zip archive, got: ${reasonOf(error)}; ${DAMAGED}`);
  }
}
