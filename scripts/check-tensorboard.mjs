// Writes an event file with the built library and reads it with TensorBoard's own reader.
//   npm run check:tensorboard -- --install                               pip puts TensorBoard into .peers/tensorboard first
//   SELFNORM_PEERS_PYTHON=.venv/bin/python npm run check:tensorboard     that Python has it
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { SummaryWriter } = createRequire(import.meta.url)('../dist/index.cjs');
const python = process.env['SELFNORM_PEERS_PYTHON'] ?? 'python3';
const env = { PIP_RETRIES: '0', ...process.env };
if (process.argv.includes('--install')) {
  const target = join(process.cwd(), '.peers', 'tensorboard');
  const wanted = ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--target', target];
  // What it imports from setuptools is gone from the newest.
  if (!existsSync(target)) execFileSync(python, [...wanted, 'tensorboard', 'setuptools<81'], { stdio: 'inherit', env });
  env.PYTHONPATH = target;
}
const folder = mkdtempSync(join(tmpdir(), 'selfnorm-events-'));
try {
  const writer = new SummaryWriter(folder);
  const losses = [1.5, 0.25, NaN, 1e-30];
  losses.forEach((loss, step) => writer.scalar('loss', loss, step));
  const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
  writer.histogram('kernel/histogram', values, 7);
  writer.histogram('constant', [2, 2, 2], 2 ** 40);
  const pixels = Uint8Array.from({ length: 6 * 4 * 3 }, (_, i) => i * 3);
  await writer.image('digits', { width: 6, height: 4, channels: 3, pixels }, 9);
  writer.close();

  const found = JSON.parse(
    execFileSync(python, ['test/interchange/read_events.py', folder], { encoding: 'utf8', env }).replaceAll(
      'NaN',
      '"NaN"',
    ),
  );
  assert.deepEqual(
    found.scalars.loss,
    losses.map((loss, step) => [step, Number.isNaN(loss) ? 'NaN' : Math.fround(loss)]),
  );
  const [kernel] = found.histograms['kernel/histogram'];
  assert.equal(kernel.step, 7);
  assert.equal(kernel.num, 1000);
  assert.equal(kernel.bucket.length, 30);
  assert.equal(
    kernel.bucket.reduce((sum, count) => sum + count),
    1000,
  );
  assert.equal(kernel.min, Math.min(...values));
  assert.equal(kernel.bucket_limit.at(-1), Math.max(...values));
  assert.deepEqual(found.histograms.constant[0].bucket, [3]);
  assert.equal(found.histograms.constant[0].step, 2 ** 40);
  const [[step, width, height]] = found.images.digits;
  assert.deepEqual([step, width, height], [9, 6, 4]);
  console.log('check:tensorboard: scalars, histograms and images are read back as they were written');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
