// Messages between hosts over TCP: several ends in one process, and ends that go away.
import { createServer, connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { HostLink } from '../../src/distributed/host-link.js';
import { openTcp } from '../../src/distributed/tcp-link.js';
import type { World } from '../../src/distributed/world.js';
import { torchrun } from './mpirun.js';

const lost: string[] = [];
const links: HostLink[] = [];
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close()));
  lost.splice(0);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const placeAt = (port: number, rank: number, size: number): World => ({
  ...{ launcher: 'torchrun', rank, size, localRank: rank },
  master: { address: '127.0.0.1', port },
});

async function open(port: number, rank: number, size: number, timeout = 20_000): Promise<HostLink> {
  const link = await openTcp(placeAt(port, rank, size), { timeout, lost: (reason) => void lost.push(reason) });
  links.push(link);
  return link;
}

describe('hosts over TCP', () => {
  test('exchange messages of any length, whoever comes first', async () => {
    const port = await freePort();
    const others = [2, 1].map((rank) => open(port, rank, 3));
    const ends = [await open(port, 0, 3), ...(await Promise.all(others)).reverse()];
    expect(ends.map(({ rank }) => rank)).toEqual([0, 1, 2]);
    for (const length of [0, 1, 300_000]) {
      const sent = ends.map(({ rank }) => new Uint8Array(length * (rank + 1)).fill(rank + 1));
      const got = await Promise.all(ends.map((end, i) => end.exchange(sent[i]!)));
      for (const parts of got)
        expect(parts.map((part) => [part.length, part.at(-1)])).toEqual(sent.map((part) => [part.length, part.at(-1)]));
    }
    await Promise.all(ends.map((end) => end.close()));
    expect(lost).toEqual([]);
  });

  test('are not disturbed by a stranger', async () => {
    const port = await freePort();
    const first = open(port, 0, 2);
    const stranger = connect(port, '127.0.0.1');
    stranger.on('error', () => undefined);
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    const ends = [await open(port, 1, 2), await first];
    const got = await Promise.all(ends.map((end) => end.exchange(Uint8Array.of(end.rank))));
    expect(got.map((parts) => parts.map(([value]) => value))).toEqual([
      [0, 1],
      [0, 1],
    ]);
    stranger.destroy();
  });

  test('learn that another went away, also while they wait for it', async () => {
    const port = await freePort();
    const [first, second] = await Promise.all([open(port, 0, 2), open(port, 1, 2)]);
    const waiting = first.exchange(Uint8Array.of(1));
    await second.close();
    await expect(waiting).rejects.toThrow('distributed: rank 1 went away');
    expect(lost).toEqual(['rank 1 went away']);
  });

  test('carry no tensors of CPUs: a job over them says so, and ends on every rank', async () => {
    const ends = await torchrun(2, await freePort(), 'everything');
    expect(ends.map(({ code }) => code)).toEqual([1, 1]);
    const told = ends.map(({ stderr }) => stderr).join('');
    expect(told).toMatch(
      /selfnorm: rank \d of 2: .*fit: tensors on the CPU: expected a job of MPI's, got one over TCP; start/,
    );
  });

  test('say who did not come, who came twice, and that rank 0 was not reached', async () => {
    const port = await freePort();
    const short = open(port, 0, 3, 400);
    const one = open(port, 1, 3).catch(() => undefined);
    await expect(short).rejects.toThrow('distributed.init: rank 2 of 3 did not come in time');
    await one;
    const other = await freePort();
    await expect(open(other, 1, 2, 300)).rejects.toThrow(`rank 0 was not reached at 127.0.0.1:${other}`);
    const first = open(other, 0, 3);
    const twice = [open(other, 1, 3), open(other, 1, 3)].map((end) => end.catch(() => undefined));
    await expect(first).rejects.toThrow('distributed.init: expected ranks 1 to 2 of 3, got rank 1 twice');
    await Promise.all(twice);
  });
});
