// Writes the ES module entries: they re-export the CommonJS builds, so that `import` and `require` in one process share one
// library and its tensors.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const list = (names) => names.map((name) => `  ${name},`).join('\n');
const exportsOf = (names) => `export const {\n${list(names)}\n} = library;\n`;

const load = createRequire(import.meta.url);
const names = Object.keys(load('../dist/index.cjs')).filter((name) => name !== 'default');
writeFileSync('dist/index.js', `import library from './index.cjs';\n${exportsOf(names)}`);

// Importing this entry loads the addon, which need not be built yet: its own names are read from the source. tfjs's are listed
// rather than passed on by `export *`, which would fail with Node's words where tfjs is missing, before ours can be said. And it
// is required: Node 20 ends the process when CommonJS that is imported throws, even if the program catches the error.
const own = [...readFileSync('src/tfjs/index.ts', 'utf8').matchAll(/^export const (\w+)/gm)].map(([, name]) => name);
const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'].flatMap((name) => Object.keys(load(name)));
const required = `import { createRequire } from 'node:module';\nconst library = createRequire(import.meta.url)('./tfjs.cjs');\n`;
writeFileSync('dist/tfjs.js', required + exportsOf([...new Set([...own, ...tfjs])].sort()));

for (const entry of ['index', 'tfjs']) copyFileSync(`dist/${entry}.d.cts`, `dist/${entry}.d.ts`);
