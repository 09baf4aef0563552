// `selfnorm data`: where the data sets are, getting them, and whether they are whole. Results go to standard output, errors and
// progress to standard error; with --json a result is one JSON object, an error too.
import { SingleBar } from 'cli-progress';
import { Argument, type Command } from 'commander';
import { CATALOGUE, type DataSetName } from '../data/sets/catalogue.js';
import { obtain } from '../data/sets/download.js';
import type { DataSetEntry } from '../data/sets/entry.js';
import { locate, type Location } from '../data/sets/locate.js';
import { verify, type Verification } from '../data/sets/verify.js';
import { SelfnormError } from '../errors.js';

/** Options that the three commands share. */
export interface DataCommandOptions {
  /** Folder that holds the files, in place of package and cache. */
  readonly data?: string;
  /** Folder for downloads. */
  readonly cache?: string;
  readonly json?: boolean;
}

/** Where the commands print, and where they download from if not from the set's mirrors. */
export interface DataCommandParts {
  write(text: string): void;
  writeError(text: string): void;
  readonly mirrors?: readonly string[];
}

const TO_PROCESS: DataCommandParts = {
  write: (text) => console.log(text),
  writeError: (text) => console.error(text),
};

const SOURCES: Record<Location['source'], string> = {
  directory: 'the folder given',
  package: 'an npm package',
  cache: 'the cache',
};

const places = ({ data, cache }: DataCommandOptions): { dataDir?: string; cacheDir?: string } => ({
  ...(data === undefined ? {} : { dataDir: data }),
  ...(cache === undefined ? {} : { cacheDir: cache }),
});

/** Runs a command and turns its errors into a line, or an object, and exit code 1. */
async function reported(
  options: DataCommandOptions,
  parts: DataCommandParts,
  command: () => number | Promise<number>,
): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof SelfnormError)) throw error;
    if (options.json === true) parts.write(JSON.stringify({ error: error.message, code: error.code }));
    else parts.writeError(error.message);
    return 1;
  }
}

/** A bar on a terminal, a line a file elsewhere. */
function progress(
  parts: DataCommandParts,
  quiet: boolean,
): { show: (file: string, got: number, total: number) => void; end: () => void } {
  let file = '';
  let bar: SingleBar | undefined;
  const end = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const show = (name: string, got: number, total: number): void => {
    if (quiet) return;
    if (name !== file || bar?.getTotal() !== total) {
      end();
      if (process.stderr.isTTY) {
        bar = new SingleBar({ stream: process.stderr, format: `${name} {bar} {percentage}%`, hideCursor: true });
        bar.start(total, got);
      } else if (name !== file) parts.writeError(`downloading ${name}`);
      file = name;
    }
    bar?.update(got);
  };
  return { show, end };
}

function describe(set: DataSetEntry, { source, folder, paths, missing }: Location): object {
  return { set: set.name, source, folder, files: Object.fromEntries(paths), missing };
}

/** `data fetch`: finds the set, or downloads what is missing of it. */
export function fetchData(name: DataSetName, options: DataCommandOptions, parts = TO_PROCESS): Promise<number> {
  const set: DataSetEntry = CATALOGUE[name];
  return reported(options, parts, async () => {
    const { show, end } = progress(parts, options.json === true);
    const before = locate(set, places(options));
    let found: Location;
    try {
      const mirrors = parts.mirrors === undefined ? {} : { mirrors: parts.mirrors };
      found = await obtain(set, { ...places(options), ...mirrors, onProgress: show });
    } finally {
      end();
    }
    const downloaded = before.missing;
    if (options.json === true) parts.write(JSON.stringify({ ...describe(set, found), downloaded }));
    else {
      const how = downloaded.length > 0 ? `${downloaded.length} downloaded` : `found in ${SOURCES[found.source]}`;
      parts.write(`${set.name}: ${found.paths.size} files in ${found.folder} (${how})`);
    }
    return 0;
  });
}

/** `data path`: the folder of the set's files; exit code 1 when some are missing. */
export function dataPath(name: DataSetName, options: DataCommandOptions, parts = TO_PROCESS): Promise<number> {
  const set: DataSetEntry = CATALOGUE[name];
  return reported(options, parts, () => {
    const found = locate(set, places(options));
    if (options.json === true) parts.write(JSON.stringify(describe(set, found)));
    else {
      parts.write(found.folder);
      if (found.missing.length > 0) {
        parts.writeError(
          `${set.name}: missing: ${found.missing.join(', ')}; get it: npx selfnorm data fetch ${set.name}`,
        );
      }
    }
    return found.missing.length === 0 ? 0 : 1;
  });
}

function verdictOf({ set, folder, files, contents, problem, whole }: Verification): string {
  const width = Math.max(...files.map(({ name }) => name.length));
  const lines = files.map((file) => {
    const checksum = file.checksum === 'right' ? 'checksum right' : 'no checksum known';
    return `  ${file.name.padEnd(width)}  ${file.problem ?? checksum}`;
  });
  const verdict = whole ? `whole, ${contents}` : (problem ?? 'not the published files');
  return [`${set} in ${folder}: ${verdict}`, ...lines].join('\n');
}

/** `data verify`: checks checksums and contents of the files found; exit code 1 when anything is wrong or missing. */
export function verifyData(name: DataSetName, options: DataCommandOptions, parts = TO_PROCESS): Promise<number> {
  return reported(options, parts, async () => {
    const found = await verify(CATALOGUE[name], places(options));
    parts.write(options.json === true ? JSON.stringify(found) : verdictOf(found));
    return found.whole ? 0 : 1;
  });
}

const COMMANDS = [
  ['fetch', 'find a data set, or download what is missing of it into the cache', fetchData],
  ['path', 'print the folder a data set is read from', dataPath],
  ['verify', 'check the checksums and contents of a data set', verifyData],
] as const;

/** Adds `data` and what is below it to the program; `done` is told the exit code. */
export function addDataCommand(program: Command, done: (code: number) => void): void {
  const data = program.command('data').description('find, download and check data sets');
  for (const [name, description, run] of COMMANDS) {
    data
      .command(name)
      .description(description)
      .addArgument(new Argument('<set>', 'data set').choices(Object.keys(CATALOGUE)))
      .option('--data <folder>', 'the folder that holds the files; nothing else is looked at')
      .option('--cache <folder>', "folder for downloads (default: SELFNORM_DATA, else the user's cache folder)")
      .option('--json', 'for machines')
      .action(async (set: DataSetName, options: DataCommandOptions) => done(await run(set, options)));
  }
}
