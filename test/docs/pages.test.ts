// What the documents say holds: their TypeScript compiles against the built package and runs, the names they use are exported, and
// what they link to is there.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { snippetsOf } from './snippets.js';

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const snippets = PAGES.flatMap(snippetsOf);

// A project beside this one, in which `selfnorm` is what users get.
const project = mkdtempSync(join(tmpdir(), 'selfnorm-docs-'));
const fileOf = (index: number, ending: string): string => join(project, `snippet-${index}.${ending}`);
beforeAll(() => {
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(process.cwd(), join(project, 'node_modules/selfnorm'));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the documents', () => {
  test('have code that compiles', () => {
    expect(snippets.length).toBeGreaterThan(6);
    snippets.forEach(({ given, code }, i) => writeFileSync(fileOf(i, 'mts'), `${given}\n${code}\nexport {};\n`));
    const compilerOptions = {
      ...{ module: 'NodeNext', target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable'], strict: true, noEmit: true },
      ...{ skipLibCheck: true, types: ['node'], typeRoots: [join(process.cwd(), 'node_modules/@types')] },
    };
    const files = snippets.map((_, i) => fileOf(i, 'mts'));
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const compiler = join(process.cwd(), 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', project], { cwd: project, encoding: 'utf8' });
    const told = stdout.replace(/snippet-(\d+)\.mts/g, (_, index: string) => snippets[Number(index)]!.place);
    expect(told).toBe('');
  }, 120_000);

  test.each(snippets.map((snippet, i) => ({ ...snippet, i })).filter(({ runs }) => runs))(
    'have code that runs: $place',
    ({ code, i }) => {
      writeFileSync(fileOf(i, 'mjs'), transformSync(code, { loader: 'ts', target: 'node20' }).code);
      const { status, stderr } = spawnSync(process.execPath, [fileOf(i, 'mjs')], { cwd: project, encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    },
  );

  test('name what is exported', () => {
    const named = PAGES.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/`[^`\n]*`/g)].flatMap(([span]) =>
        [...span.matchAll(/\bsn((?:\.\w+)+)/g)].map(([, path]) => path!.slice(1)),
      ),
    );
    expect(named.length).toBeGreaterThan(60);
    const value = (path: string): unknown =>
      path.split('.').reduce<unknown>((object, name) => (object as Record<string, unknown> | undefined)?.[name], sn);
    expect(named.filter((path) => value(path) === undefined)).toEqual([]);
  });

  test('link to files that are there', () => {
    const links = PAGES.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target))
        .map((target) => join(dirname(page), target)),
    );
    expect(links.length).toBeGreaterThan(15);
    expect(links.filter((file) => !existsSync(file))).toEqual([]);
  });
});
