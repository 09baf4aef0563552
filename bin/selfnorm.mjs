#!/usr/bin/env node
// The command line. `build` works before anything is built, so it does not load the library.
import { createRequire } from 'node:module';

if (process.argv[2] === 'build') await import('../scripts/install.mjs');
else process.exitCode = await createRequire(import.meta.url)('../dist/cli.cjs').main(process.argv.slice(2));
