// The processes that are measured, each a program that prints JSON lines: how they are started, spoken to and watched, and
// where they are found. One that is not installed says so and is no failure; one that dies without a word is.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** The Python that has torch and tensorflow. */
export const PYTHON = process.env['SELFNORM_PEERS_PYTHON'] ?? 'python3';
/** Starts a TypeScript program of ours. */
export const TSX: readonly string[] = [process.execPath, '--import', 'tsx'];

/** Characters of its error output that are kept. */
const MOST_COMPLAINT = 10_000;

/** Any line a driver prints; `missing` says what to install. */
export interface PeerLine {
  readonly peer: string;
  readonly missing?: string;
}

class ProgramNotFound extends Error {}

/** A driver that runs. It is told things by `send` and answers in JSON lines; other lines it prints are nobody's. */
export class PeerProcess {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly exited: Promise<number | null>;
  private complaint = '';
  private notFound = false;

  /** @param command The program and its arguments. */
  constructor(private readonly command: readonly string[]) {
    const [program, ...args] = command;
    this.child = spawn(program!, args);
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaint = (this.complaint + text).slice(-MOST_COMPLAINT);
    });
    // A driver that has ended does not read on: what it said or how it ended tells why.
    this.child.stdin.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      this.child.on('error', ({ code, message }: NodeJS.ErrnoException) => {
        this.complaint = message;
        this.notFound = code === 'ENOENT';
        resolve(1);
      });
      this.child.on('close', resolve);
    });
  }

  /** Tells the driver a line. */
  send(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /**
   * The driver's next JSON line; null when it has ended.
   * @throws Error with its last words when it failed; ProgramNotFound when it never started.
   */
  async next<Line>(): Promise<Line | null> {
    for (let line = await this.lines.next(); line.done !== true; line = await this.lines.next()) {
      if (line.value.startsWith('{')) return JSON.parse(line.value) as Line;
    }
    const status = await this.exited;
    if (status === 0) return null;
    if (this.notFound) throw new ProgramNotFound(this.command[0]);
    const words = this.complaint.split('\n').filter((line) => line.trim() !== '');
    const reason = words.findLast((line) => line.includes('Error')) ?? words.at(-1) ?? `ended with status ${status}`;
    throw new Error(`${this.command.join(' ')}: ${reason.trim()}`);
  }

  /** The most memory the process has had resident, in bytes; null where the system does not tell. */
  peakBytes(): number | null {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
      const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    } catch {
      return null;
    }
  }

  /** Closes the driver's input, which ends it, and waits until it has. */
  async end(): Promise<void> {
    this.child.stdin.end();
    if (this.child.pid !== undefined && this.child.exitCode === null) await once(this.child, 'close');
  }
}

/** What peers said of themselves that is not a figure: what is missing, and what went wrong. */
export class Absences {
  private readonly missing = new Map<string, string>();
  private readonly failed = new Set<string>();

  /** Whether a line is a figure; one about what to install is kept for the report. */
  admits(line: PeerLine): boolean {
    if (line.missing !== undefined) this.missing.set(line.peer, line.missing);
    return line.missing === undefined;
  }

  fail(error: unknown): void {
    if (error instanceof ProgramNotFound) {
      this.missing.set(error.message, 'name the Python that has the peers in SELFNORM_PEERS_PYTHON');
    } else this.failed.add(error instanceof Error ? error.message : String(error));
  }

  /** Prints what is missing and how to get it; failures make the bench's exit status 1. */
  print(): void {
    for (const [peer, how] of this.missing) console.log(`${peer}: not installed: ${how}`);
    for (const message of this.failed) console.log(`failed: ${message}`);
    if (this.failed.size > 0) process.exitCode = 1;
  }
}
