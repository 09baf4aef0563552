// Times our trials in this process, one JSON line each, as the peers do.
//   tsx bench/drivers/selfnorm.ts [--rows prefix] [--seconds N]
import benny from 'benny';
import { parseArgs } from 'node:util';
import * as sn from '../../src/index.js';
import { TRIALS, type Trial } from '../trials.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '' }, seconds: { type: 'string', default: '1' } },
});

async function time(trial: Trial): Promise<void> {
  const run = trial.prepare();
  const onCuda = sn.device().startsWith('cuda');
  const once = async (): Promise<void> => {
    const result = run();
    if (onCuda) await sn.time(() => undefined);
    sn.dispose(result);
  };
  const sync = (): void => {
    sn.dispose(run());
  };
  for (let i = 0; i < 3; i++) await once();
  const suite = await benny.suite(
    trial.name,
    benny.add(trial.name, onCuda ? () => once() : sync, {
      maxTime: Number(values.seconds),
      minSamples: 5,
    }),
  );
  const [result] = suite.results;
  const { median, min, sampleResults } = result!.details;
  console.log(
    JSON.stringify({
      peer: 'selfnorm',
      version: sn.version,
      bench: trial.name,
      ms: median * 1000,
      min: min * 1000,
      n: sampleResults.length,
      device: sn.device(),
    }),
  );
}

for (const trial of TRIALS) if (trial.name.startsWith(values.rows)) await time(trial);
