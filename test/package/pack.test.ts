// The package as a user gets it: packed, installed in another project, imported and required, with its types.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultsOf, installInto, link, manifest, MOST_BYTES, pack, type Packed } from './packed.js';

const project = mkdtempSync(join(tmpdir(), 'selfnorm-user-'));
const run = (command: string, args: string[]): string =>
  execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let packed: Packed;

beforeAll(async () => {
  packed = pack(project);
  await installInto(project, join(project, packed.filename));
  // What `npx selfnorm build` would make: the same sources, already built here.
  const target = join(project, 'node_modules/selfnorm/build/Release');
  mkdirSync(target, { recursive: true });
  cpSync('build/Release/selfnorm_cpu.node', join(target, 'selfnorm_cpu.node'));
}, 180_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the packed library', () => {
  test('is small, and has what it is built from and nothing besides', () => {
    expect(packed.size).toBeLessThan(MOST_BYTES);
    expect(faultsOf(packed.files.map(({ path }) => path))).toEqual([]);
  });

  test('is seen to lack a file, or to have one too many', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(faultsOf(paths.filter((path) => path !== 'cuda/kernels/math.h'))).toEqual(['missing: cuda/kernels/math.h']);
    expect(faultsOf([...paths, 'dist/index.cjs.map'])).toEqual(['not allowed: dist/index.cjs.map']);
  });

  test('can be imported', () => {
    writeFileSync(
      join(project, 'a.mjs'),
      `import * as sn from 'selfnorm'; console.log(sn.add([1, 2], 1).dataSync().join());`,
    );
    expect(run('node', ['a.mjs']).trim()).toBe('2,3');
  });

  test('can be required, and is the same library as the imported one', () => {
    writeFileSync(
      join(project, 'b.cjs'),
      `const sn = require('selfnorm'); import('selfnorm').then((m) => console.log(m.Tensor === sn.Tensor, m.add(sn.ones([1]), 1).dataSync()[0]));`,
    );
    expect(run('node', ['b.cjs']).trim()).toBe('true 2');
  });

  test('decodes images in its threads', () => {
    writeFileSync(
      join(project, 'e.mjs'),
      `import sharp from 'sharp'; import { mkdirSync } from 'node:fs'; import * as sn from 'selfnorm';
      mkdirSync('images/a', { recursive: true }); mkdirSync('images/b');
      const background = { r: 7, g: 8, b: 9 };
      for (const name of ['a', 'b']) await sharp({ create: { width: 4, height: 4, channels: 3, background } }).png().toFile('images/' + name + '/1.png');
      const { train } = await sn.data.imageFolder('images', { imageSize: 2, dtype: 'uint8' });
      const [{ xs, ys }] = await train.batch(2).toArray();
      console.log(xs.shape.join(), xs.dataSync().slice(0, 3).join(), ys.arraySync().join());`,
    );
    expect(run('node', ['e.mjs']).trim()).toBe('2,2,2,3 7,8,9 1,0,0,1');
  });

  test('has types for import and for require', () => {
    const source = `const x = sn.zeros([2, 3]); const n: number = x.size; const s: readonly [2, 3] = x.shape; void n; void s;`;
    writeFileSync(join(project, 'c.mts'), `import * as sn from 'selfnorm'; ${source}`);
    writeFileSync(join(project, 'd.cts'), `import sn = require('selfnorm'); ${source}`);
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2022',
          lib: ['ES2022', 'ESNext.Disposable'],
          strict: true,
          noEmit: true,
          types: [],
        },
        files: ['c.mts', 'd.cts'],
      }),
    );
    const compiler = join(process.cwd(), 'node_modules/typescript/bin/tsc');
    expect(run(process.execPath, [compiler, '-p', 'tsconfig.json'])).toBe('');
  });

  test('says what to install where tfjs is missing, whole or in part', () => {
    const said = '(error) => console.log(error.code, error.message)';
    writeFileSync(join(project, 'g.mjs'), `import('selfnorm/tfjs').catch(${said});`);
    writeFileSync(join(project, 'g.cjs'), `try { require('selfnorm/tfjs'); } catch (error) { (${said})(error); }`);
    const asked = (): string[] => ['g.mjs', 'g.cjs'].map((file) => run('node', [file]).trim());
    const told = (missing: string): string =>
      `ERR_ARGUMENT selfnorm/tfjs: needs ${missing}, not found here; npm install @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu`;
    const both = told('@tensorflow/tfjs-core and @tensorflow/tfjs-layers');
    expect(asked()).toEqual([both, both]);
    link(project, '@tensorflow/tfjs-core');
    const one = told('@tensorflow/tfjs-layers');
    expect(asked()).toEqual([one, one]);
  });

  test('gives tfjs its backend by import and by require, once tfjs is installed', () => {
    for (const name of Object.keys(manifest.peerDependencies)) link(project, name);
    const source = `console.log(tf.getBackend(), tf.tensor([1, 2]).mul(3).add(1).dataSync().join(), typeof tf.io.fileSystem, typeof tf.sequential);`;
    writeFileSync(join(project, 'e.mjs'), `import * as tf from 'selfnorm/tfjs'; ${source}`);
    writeFileSync(join(project, 'f.cjs'), `const tf = require('selfnorm/tfjs'); ${source}`);
    expect(run('node', ['e.mjs']).trim()).toBe('selfnorm 4,7 function function');
    expect(run('node', ['f.cjs']).trim()).toBe('selfnorm 4,7 function function');
  });

  test('exports all that tfjs does', () => {
    writeFileSync(
      join(project, 'h.mjs'),
      `import { createRequire } from 'node:module'; import * as ours from 'selfnorm/tfjs';
      const require = createRequire(import.meta.url);
      const names = ['core', 'layers'].flatMap((part) => Object.keys(require('@tensorflow/tfjs-' + part)));
      console.log(names.length > 450, names.filter((name) => ours[name] === undefined).join());`,
    );
    expect(run('node', ['h.mjs']).trim()).toBe('true');
  });

  test('its command line answers', () => {
    expect(run('node', ['node_modules/selfnorm/bin/selfnorm.mjs', '--version']).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
