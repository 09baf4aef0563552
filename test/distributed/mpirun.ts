// Starts a job of several ranks on this machine, with one thread each, and gives what its ranks have found.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Processes of a job that torchrun's variables name: how they ended, and what they said. */
export async function torchrun(
  ranks: number,
  port: number,
  task: string,
): Promise<{ code: number | null; stderr: string }[]> {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-job-'));
  const ends = [...Array(ranks).keys()].map((rank) => {
    const job = ['--import', 'tsx', join('test', 'distributed', 'job.ts'), folder, task];
    const place = {
      RANK: String(rank),
      WORLD_SIZE: String(ranks),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
    };
    const env = { ...process.env, ...place, NODE_OPTIONS: '', SELFNORM_DEVICE: 'cpu', SELFNORM_THREADS: '1' };
    const child = spawn(process.execPath, job, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    return new Promise<{ code: number | null; stderr: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, stderr }));
    });
  });
  try {
    return await Promise.all(ends);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a job ended. */
export interface JobEnd {
  readonly code: number | null;
  readonly stderr: string;
  /** What each rank wrote; null for a rank that did not come so far. */
  readonly found: readonly (Readonly<Record<string, unknown>> | null)[];
}

/** Runs test/distributed/job.ts on so many ranks. */
export async function mpirun(ranks: number, task: string, checkpoint = ''): Promise<JobEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-job-'));
  const job = [process.execPath, '--import', 'tsx', join('test', 'distributed', 'job.ts'), folder, task, checkpoint];
  const child = spawn(
    'mpirun',
    ['--oversubscribe', '--allow-run-as-root', '--bind-to', 'none', '-np', String(ranks), ...job],
    {
      env: { ...process.env, NODE_OPTIONS: '', SELFNORM_DEVICE: 'cpu', SELFNORM_THREADS: '1', OMP_NUM_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('close', resolve);
      child.on('error', ({ message }) => {
        const install = 'install Open MPI (Debian, Ubuntu: apt-get install openmpi-bin libopenmpi-dev)';
        reject(new Error(`mpirun did not start: ${message}; ${install}, then: npm run build:native`));
      });
    });
    const found = Array.from({ length: ranks }, (_, rank) => {
      const file = join(folder, `${rank}.json`);
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : null;
    });
    return { code, stderr, found };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
