import { defineConfig } from 'tsup';

// One implementation, in CommonJS: import and require must share one tensor table, so the ES module re-exports it
// (scripts/write-esm-entry.mjs, run after it). The entry tfjs has code of its own over the same addon and its tensor table.
export default defineConfig({
  // The decoding threads have a program of their own.
  entry: {
    index: 'src/index.ts',
    cli: 'src/cli/main.ts',
    tfjs: 'src/tfjs/index.ts',
    'decode-worker': 'src/data/images/decode-worker.ts',
  },
  external: ['sharp'],
  format: ['cjs'],
  outExtension: () => ({ js: '.cjs', dts: '.d.cts' }),
  dts: { entry: { index: 'src/index.ts', tfjs: 'src/tfjs/index.ts' } },
  platform: 'node',
  target: 'node20',
  shims: true,
  sourcemap: true,
  clean: true,
});
