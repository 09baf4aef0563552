// tfjs-core's own conformance suite on our backend, bundled and run by scripts/test-tfjs.mjs. Writes a JSON report.
import { jasmineEnv } from './globals.mjs';
import { kernels, unsorted } from './environment.mjs';
import '@tensorflow/tfjs-core/dist/tests';
import { writeFileSync } from 'node:fs';

const report = { kernels, unsorted, passed: 0, leftOut: [], failures: [] };
jasmineEnv.addReporter({
  specDone: ({ status, fullName, failedExpectations }) => {
    if (status === 'passed') report.passed++;
    else if (status === 'failed') {
      report.failures.push({ name: fullName, messages: failedExpectations.map(({ message }) => message) });
    } else report.leftOut.push(fullName);
  },
  jasmineDone: ({ failedExpectations }) => {
    // Errors outside of specs.
    for (const { message } of failedExpectations) report.failures.push({ name: 'the suite', messages: [message] });
    writeFileSync(process.env['SELFNORM_REPORT'], JSON.stringify(report));
    process.exit(0);
  },
});
jasmineEnv.configure({ random: false });
jasmineEnv.execute();
