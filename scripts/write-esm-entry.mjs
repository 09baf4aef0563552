// Writes the ES module entries: they re-export the CommonJS builds, so that `import` and `require` in one process share one
// library and its tensors.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const list = (names) => names.map((name) => `  ${name},`).join('\n');
const reexport = (entry, names) =>
  `import library from './${entry}.cjs';\nexport const {\n${list(names)}\n} = library;\n`;

const load = createRequire(import.meta.url);
const names = Object.keys(load('../dist/index.cjs')).filter((name) => name !== 'default');
writeFileSync('dist/index.js', reexport('index', names));

// Importing this entry loads the addon, which need not be built yet: its own names are read from the source. tfjs's are listed
// rather than passed on by `export *`, which would fail with Node's words where tfjs is missing, before ours can be said.
const own = [...readFileSync('src/tfjs/index.ts', 'utf8').matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'].flatMap((name) => Object.keys(load(name)));
writeFileSync('dist/tfjs.js', reexport('tfjs', [...new Set([...own, ...tfjs])].sort()));

for (const entry of ['index', 'tfjs']) copyFileSync(`dist/${entry}.d.cts`, `dist/${entry}.d.ts`);
