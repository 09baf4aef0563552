// The package as npm packs it, what it may and must hold, and how it comes into a project without a network: its dependencies are
// linked from ours, those alone that package.json names, so that one that is not named is missed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { extract } from 'tar';

/** What `npm pack` says of an archive. */
export interface Packed {
  readonly filename: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

/** Bytes an archive may have. */
export const MOST_BYTES = 1_500_000;

/** Everything a package may hold: what is not allowed here is left out of `files` in package.json, or gets a line. */
const ALLOWED = [
  /^(LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md|CMakeLists\.txt|package\.json)$/,
  /^bin\/selfnorm\.mjs$/,
  /^dist\/[\w-]+\.(js|cjs|d\.ts|d\.cts)$/,
  /^scripts\/(install|cuda-setup)\.mjs$/,
  /^(binding|cpu\/(mpi|runtime)|cuda\/(engines|kernels|ops|runtime))\/[\w-]+\.(cc|cu|cuh|h)$/,
  /^(cpu|cuda)\/CMakeLists\.txt$/,
  /^cuda\/compile\.sh$/,
  /^cmake\/find-cuda\.cmake$/,
  /^cmake\/check-cuda\/(CMakeLists\.txt|check\.cu)$/,
];

/** Folders whose every file the addons are built from. */
const SOURCES = ['binding', 'cmake', 'cpu/mpi', 'cpu/runtime', 'cuda'];

/** Every path that package.json promises. */
function promised(value: unknown): string[] {
  if (typeof value === 'string') return [value.replace(/^\.\//, '')];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(promised) : [];
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** What is wrong with a list of packed files: nothing where it is as it should be. */
export function faultsOf(files: readonly string[]): string[] {
  const needed = [
    ...['LICENSE', 'README.md', 'SECURITY.md', 'CHANGELOG.md', 'CMakeLists.txt', 'scripts/install.mjs'],
    ...['cpu/CMakeLists.txt', 'dist/cli.cjs', 'dist/decode-worker.cjs'],
    ...SOURCES.flatMap(filesUnder),
    ...promised([manifest.exports, manifest.bin]),
  ];
  const held = new Set(files);
  return [
    ...[...new Set(needed)].filter((file) => !held.has(file)).map((file) => `missing: ${file}`),
    ...files.filter((file) => !ALLOWED.some((form) => form.test(file))).map((file) => `not allowed: ${file}`),
  ];
}

/** Packs the library as it is built now. */
export function pack(folder: string): Packed {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const listed = execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return (JSON.parse(listed) as [Packed])[0];
}

/** A project that has the archive, and of our own packages those that it depends on. Nothing runs and nothing is downloaded. */
export async function installInto(project: string, archive: string): Promise<void> {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  const home = join(project, 'node_modules', manifest.name);
  mkdirSync(home, { recursive: true });
  await extract({ file: archive, cwd: home, strip: 1 });
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) link(project, name);
}

/** Links one of our packages into a project. */
export function link(project: string, name: string): void {
  const place = join(project, 'node_modules', name);
  if (existsSync(place)) return;
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules', name), place);
}
