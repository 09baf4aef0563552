// The whole way of a user, minutes of it: the packed library is installed into an empty folder without running any script, the
// addons are built from its sources by `npx selfnorm build` with no network to reach, and both entries are used.
//   npm run check:package
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf, manifest, MOST_BYTES, pack } from './packed.js';

const project = mkdtempSync(join(tmpdir(), 'selfnorm-user-'));

function run(command: string, ...args: string[]): string {
  console.log(`check:package: ${command} ${args.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}\n${stdout}${stderr}`);
  return stdout.trim();
}

function must(holds: boolean, what: string): void {
  console.log(`check:package: ${holds ? 'ok' : 'FAILED'}: ${what}`);
  if (!holds) process.exitCode = 1;
}

/** Puts a command where no network is, if this system lets us. */
const offline = (): readonly [string, string] =>
  spawnSync('unshare', ['-rn', 'true']).status === 0 ? ['unshare', '-rn'] : ['env', 'npm_config_offline=true'];

try {
  const { filename, files, size } = pack(project);
  must(size < MOST_BYTES, `${filename} has ${size} bytes, ${files.length} files`);
  const faults = faultsOf(files.map(({ path }) => path));
  must(faults.length === 0, `its files are those that are needed ${faults.join(', ')}`);

  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  // From npm's cache what it has; the registry is asked for the rest.
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  run('npm', 'install', ...quiet, `./${filename}`);
  const [first, ...before] = offline();
  console.log(run(first, ...before, 'npx', '--no-install', 'selfnorm', 'build'));

  const sum = `console.log(sn.version, sn.matMul([[1, 2]], [[3], [4]]).dataSync()[0]);`;
  const answer = `${manifest.version} 11`;
  writeFileSync(join(project, 'a.mjs'), `import * as sn from 'selfnorm'; ${sum}`);
  writeFileSync(join(project, 'a.cjs'), `const sn = require('selfnorm'); ${sum}`);
  must(run('node', 'a.mjs') === answer, `import 'selfnorm'`);
  must(run('node', 'a.cjs') === answer, `require('selfnorm')`);

  const peers = Object.entries(manifest.peerDependencies).map(([name, range]) => `${name}@${range}`);
  run('npm', 'install', ...quiet, ...peers);
  const double = `console.log(tf.getBackend(), tf.tensor([1]).mul(2).dataSync()[0]);`;
  writeFileSync(join(project, 'b.mjs'), `import * as tf from 'selfnorm/tfjs'; ${double}`);
  writeFileSync(join(project, 'b.cjs'), `const tf = require('selfnorm/tfjs'); ${double}`);
  must(run('node', 'b.mjs') === 'selfnorm 2', `import 'selfnorm/tfjs'`);
  must(run('node', 'b.cjs') === 'selfnorm 2', `require('selfnorm/tfjs')`);
} finally {
  rmSync(project, { recursive: true, force: true });
}
