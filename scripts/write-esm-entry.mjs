// Writes the ES module entry: it re-exports the CommonJS build, so that `import` and `require` in one process share one
// library and its tensors.
import { copyFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const names = Object.keys(createRequire(import.meta.url)('../dist/index.cjs')).filter((name) => name !== 'default');
writeFileSync(
  'dist/index.js',
  `import library from './index.cjs';\nexport const {\n${names.map((name) => `  ${name},`).join('\n')}\n} = library;\n`,
);
copyFileSync('dist/index.d.cts', 'dist/index.d.ts');
