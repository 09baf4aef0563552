// The command line in a process of its own, listened to by its JSON events, and ended by a signal at a moment that a test names.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../src/experiments/experiment.js';

const PROGRAM = `import(${JSON.stringify(join(process.cwd(), 'src/cli/main.ts'))})
  .then(({ main }) => main(process.argv.slice(1))).then((code) => { process.exitCode = code; });`;

/** What a run tells as JSON. */
export type Told = RunEvent | { event: 'report' | 'interrupted'; resume?: string };

/** How a process ended, and what it told before. */
export interface Ended {
  readonly code: number | null;
  readonly events: readonly Told[];
  readonly stderr: string;
}

/** The end that a test gives it. */
export interface Ending {
  readonly signal: NodeJS.Signals;
  /** After so many events, or the first that fits, */
  readonly afterEvents: number | ((event: Told) => boolean);
  /** and so many milliseconds. */
  readonly delay: number;
}

/** Runs the command line in a process of its own, which a signal may end. */
export function start(args: readonly string[], ending?: Ending): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', PROGRAM, '--', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: Told[] = [];
  const isTheOne = (event: Told): boolean =>
    typeof ending?.afterEvents === 'function' ? ending.afterEvents(event) : events.length === ending?.afterEvents;
  let isEnding = false;
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  createInterface(child.stdout).on('line', (line) => {
    const event = JSON.parse(line) as Told;
    events.push(event);
    if (ending === undefined || isEnding || !isTheOne(event)) return;
    // A second Ctrl-C would stop it at once.
    isEnding = true;
    setTimeout(() => child.kill(ending.signal), ending.delay);
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, events, stderr })));
}
