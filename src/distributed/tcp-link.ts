// Messages between the hosts of a job over TCP, where no MPI is: rank 0 listens at MASTER_ADDR:MASTER_PORT, the others connect, and
// every message goes by rank 0. Small and few they are: NCCL moves the tensors.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { failure } from '../errors.js';
import type { HostLink } from './host-link.js';
import type { World } from './world.js';

const OP = 'distributed.init';
/** Bytes in front of each part that tell its length. */
const HEAD = 4;
const LARGEST = 2 ** 30;
/** Milliseconds between attempts to reach a rank 0 that is not there yet. */
const RETRY = 200;

/** What may be set for tests. */
export interface TcpOptions {
  /** Milliseconds until all ranks have to be there (default 5 minutes). */
  readonly timeout?: number;
  /** Ends the process when another went away. */
  readonly lost: (reason: string) => void;
}

const framed = (bytes: Uint8Array): Buffer => {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
};

/** The parts that follow each other in `bytes`. */
function partsOf(bytes: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += HEAD + parts.at(-1)!.length) {
    parts.push(new Uint8Array(bytes.subarray(at + HEAD, at + HEAD + bytes.readUInt32BE(at))));
  }
  return parts;
}

/** One connection, from which whole messages are taken in order. */
class Peer {
  private pieces: Buffer[] = [];
  private length = 0;
  private readonly messages: Buffer[] = [];
  private waiting: ((message: Buffer | null) => void) | null = null;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    private readonly onEnd: () => void,
  ) {
    socket.setNoDelay(true);
    // Nobody waits for messages when none is under way.
    socket.unref();
    socket.on('data', (piece: Buffer) => this.take(piece));
    socket.on('error', () => undefined);
    socket.on('close', () => this.end());
  }

  private take(piece: Buffer): void {
    this.pieces.push(piece);
    this.length += piece.length;
    while (this.length >= HEAD) {
      const all = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
      this.pieces = [all];
      const length = all.readUInt32BE(0);
      if (length > LARGEST) return void this.socket.destroy();
      if (all.length < HEAD + length) return;
      this.pieces = [all.subarray(HEAD + length)];
      this.length -= HEAD + length;
      this.give(all.subarray(HEAD, HEAD + length));
    }
  }

  private give(message: Buffer | null): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) waiting(message);
    else if (message !== null) this.messages.push(message);
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.give(null);
    this.onEnd();
  }

  send(message: Uint8Array): void {
    this.socket.write(framed(message));
  }

  /** The next message; null when the other end is gone. */
  async next(): Promise<Buffer | null> {
    const there = this.messages.shift();
    if (there !== undefined) return there;
    if (this.ended) return null;
    this.socket.ref();
    try {
      return await new Promise((resolve) => (this.waiting = resolve));
    } finally {
      this.socket.unref();
    }
  }

  close(): void {
    this.ended = true;
    this.socket.end();
  }
}

/** The address where rank 0 listens, or any of its own where that is not one of its own (a service's name). */
function listen(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRNOTAVAIL') return reject(error);
      server.once('error', reject);
      server.listen(port);
    });
    server.listen(port, address);
  });
}

interface Greeting {
  readonly selfnorm: 1;
  readonly rank: number;
  readonly size: number;
}

/** The rank that a connection is of; null for a stranger's. */
function greeted(message: Buffer | null): Greeting | null {
  try {
    const given = JSON.parse(message?.toString() ?? '') as Partial<Greeting> | null;
    return given?.selfnorm === 1 && Number.isSafeInteger(given.rank) ? (given as Greeting) : null;
  } catch {
    return null;
  }
}

/** All others, at rank 0. */
async function gathered(
  { size, master }: World,
  deadline: number,
  peerOf: (rank: () => number, socket: Socket) => Peer,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  const server = createServer();
  const missing = (): number[] => [...Array(size).keys()].filter((rank) => rank > 0 && peers[rank] === undefined);
  try {
    await listen(server, master!);
    await new Promise<void>((resolve, reject) => {
      const late = (): void => {
        reject(failure('ERR_DEVICE', OP, `rank ${missing().join(', ')} of ${size} did not come in time`));
      };
      const timer = setTimeout(late, Math.max(0, deadline - Date.now()));
      const done = (end: () => void): void => {
        clearTimeout(timer);
        end();
      };
      server.on('connection', (socket: Socket) => {
        let rank = -1;
        const peer = peerOf(() => rank, socket);
        void peer.next().then((message) => {
          const greeting = greeted(message);
          if (greeting === null) return peer.close();
          const wrong = greeting.size !== size ? `WORLD_SIZE ${greeting.size}` : null;
          const twice = peers[greeting.rank] !== undefined || !missing().includes(greeting.rank);
          if (wrong !== null || twice) {
            const got = wrong ?? `rank ${greeting.rank} twice`;
            peer.close();
            return done(() =>
              reject(failure('ERR_DEVICE', OP, `expected ranks 1 to ${size - 1} of ${size}, got ${got}`)),
            );
          }
          rank = greeting.rank;
          peers[rank] = peer;
          if (missing().length === 0) done(resolve);
        });
      });
    });
    return peers;
  } catch (error) {
    for (const peer of peers) peer?.close();
    throw error;
  } finally {
    server.close();
  }
}

/** Rank 0, at the others. */
async function reached({ master }: World, deadline: number): Promise<Socket> {
  const { address, port } = master!;
  for (;;) {
    const socket = connect(port, address);
    const error = await new Promise<Error | null>((resolve) => {
      socket.once('connect', () => resolve(null));
      socket.once('error', resolve);
    });
    if (error === null) return socket;
    socket.destroy();
    if (Date.now() > deadline) {
      throw failure('ERR_DEVICE', OP, `rank 0 was not reached at ${address}:${port}: ${error.message}`);
    }
    await wait(RETRY);
  }
}

/**
 * Joins the job by TCP.
 * @throws DeviceError when ranks do not come in time, or come twice.
 */
export async function openTcp(world: World, { timeout = 300_000, lost }: TcpOptions): Promise<HostLink> {
  const { rank, size } = world;
  const deadline = Date.now() + timeout;
  let closing = false;
  const peerOf = (other: () => number, socket: Socket): Peer =>
    new Peer(socket, () => {
      if (!closing && other() >= 0) lost(`rank ${other()} went away`);
    });
  const ranks = [...Array(size).keys()].filter((other) => other !== rank);
  let peers: readonly Peer[];
  if (rank === 0) peers = await gathered(world, deadline, peerOf);
  else {
    const first = peerOf(() => 0, await reached(world, deadline));
    first.send(new TextEncoder().encode(JSON.stringify({ selfnorm: 1, rank, size } satisfies Greeting)));
    peers = [first];
  }
  const from = async (other: number): Promise<Buffer> => {
    const message = await peers[other]!.next();
    if (message === null) throw failure('ERR_DEVICE', 'distributed', `rank ${other} went away`);
    return message;
  };
  return {
    rank,
    size,
    movesTensors: false,
    library: 'TCP',
    async exchange(bytes) {
      if (rank !== 0) {
        peers[0]!.send(bytes);
        return partsOf(await from(0));
      }
      const others = await Promise.all(ranks.map(from));
      const all = Buffer.concat([bytes, ...others].map(framed));
      for (const other of ranks) peers[other]!.send(all);
      return partsOf(all);
    },
    close() {
      closing = true;
      for (const peer of peers) peer?.close();
      return Promise.resolve();
    },
    abort(code) {
      process.exit(code);
    },
  };
}
