// How a run is shown: a bar on a terminal, a line an epoch in a pipe, one JSON object a line for machines. All three listen to
// the same events.
import { SingleBar } from 'cli-progress';
import type { RunEvent } from '../experiments/experiment.js';
import { formatDuration } from '../report/duration.js';

/** Shows events; `close` leaves the terminal as it was. */
export interface Display {
  show(event: RunEvent): void;
  close(): void;
}

/** What is logged of single layers, as `mean/conv1`, would fill screens: it is for reports. */
const formatLogs = (logs: Readonly<Record<string, number>>): string =>
  Object.entries(logs)
    .filter(([name]) => !name.includes('/'))
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(4)}`)
    .join('  ');

/** A terminal of 80 columns has room for one. */
const shortLogs = (logs: Readonly<Record<string, number>>): Readonly<Record<string, number>> => {
  const shown = 'val_acc' in logs ? 'val_acc' : 'loss';
  return Object.fromEntries(Object.entries(logs).filter(([name]) => name === shown));
};
/** Bars of usual titles begin in one column. */
const TITLE_WIDTH = 27;

/** The lines that are the same on a terminal and in a pipe. */
function commonLine(event: RunEvent): string | undefined {
  switch (event.event) {
    case 'run': {
      const { experiment, size, device } = event.settings;
      const done = event.finished > 0 ? `, ${event.finished} of them done` : '';
      const trials = `${event.trials} training ${event.trials === 1 ? 'run' : 'runs'}`;
      return `${experiment} (${size}) on ${device}: ${trials}${done}, into ${event.folder}`;
    }
    case 'message':
      return event.text;
    case 'trial-end':
      return `  ${formatLogs(event.results)}`;
    default:
      return undefined;
  }
}

/** A line for each thing worth a line. */
export function plainDisplay(write: (line: string) => void): Display {
  return {
    show(event) {
      const common = commonLine(event);
      if (common !== undefined) write(common);
      else if (event.event === 'trial') {
        const from = event.doneEpochs + event.doneBatches > 0 ? `, goes on in epoch ${event.doneEpochs + 1}` : '';
        write(`[${event.index}/${event.of}] ${event.title}${from}`);
      } else if (event.event === 'epoch') {
        const { epoch, epochs, seconds, logs } = event;
        write(`  epoch ${epoch}/${epochs}  ${formatDuration(seconds)}  ${formatLogs(logs)}`);
      }
    },
    close() {},
  };
}

/** One JSON object a line. Batches are left out: they would be most of the output. */
export function jsonDisplay(write: (line: string) => void): Display {
  return {
    show(event) {
      if (event.event !== 'batch') write(JSON.stringify(event));
    },
    close() {},
  };
}

/** A bar for the training run under way, which stays as one line when the run is over. */
export function barDisplay(stream: NodeJS.WriteStream): Display {
  let bar: SingleBar | undefined;
  let batches = 1;
  let epochs = 1;
  const position = (epoch: number, logs = ''): object => ({ epoch: Math.min(epoch, epochs), epochs, logs });
  const close = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    show(event) {
      switch (event.event) {
        case 'trial': {
          ({ batches, epochs } = event);
          const title = `[${event.index}/${event.of}] ${event.title}`;
          bar = new SingleBar({
            stream,
            format: `${title.padEnd(TITLE_WIDTH)} {bar} epoch {epoch}/{epochs}  {eta_formatted} left  {logs}`,
            barCompleteChar: '█',
            barIncompleteChar: '░',
            barsize: 16,
            etaBuffer: 50,
            fps: 8,
            hideCursor: true,
            // Ctrl-C is the run's: it saves before it ends.
            gracefulExit: false,
          });
          const done = event.doneEpochs * batches + event.doneBatches;
          bar.start(epochs * batches, done, position(event.doneEpochs + 1));
          break;
        }
        case 'batch':
          bar?.update((event.epoch - 1) * batches + event.batch);
          break;
        case 'epoch':
          bar?.update(event.epoch * batches, position(event.epoch + 1, formatLogs(shortLogs(event.logs))));
          break;
        default: {
          close();
          const line = commonLine(event);
          if (line !== undefined) stream.write(`${line}\n`);
        }
      }
    },
    close,
  };
}
