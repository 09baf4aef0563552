// Writes the ES module entries: they re-export the CommonJS builds, so that `import` and `require` in one process share one
// library and its tensors.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const list = (names) => names.map((name) => `  ${name},`).join('\n');
const reexport = (entry, names) =>
  `import library from './${entry}.cjs';\nexport const {\n${list(names)}\n} = library;\n`;

const names = Object.keys(createRequire(import.meta.url)('../dist/index.cjs')).filter((name) => name !== 'default');
writeFileSync('dist/index.js', reexport('index', names));

// Importing this entry loads the addon, which need not be built yet: its own names are read, tfjs's are passed on.
const own = [...readFileSync('src/tfjs/index.ts', 'utf8').matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'];
writeFileSync('dist/tfjs.js', reexport('tfjs', own) + packages.map((name) => `export * from '${name}';\n`).join(''));

for (const entry of ['index', 'tfjs']) copyFileSync(`dist/${entry}.d.cts`, `dist/${entry}.d.ts`);
