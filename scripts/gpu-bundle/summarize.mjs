// Turns what the parts of run.sh left into results.json, for machines, and summary.md, for people: one page.
//   node summarize.mjs OUTDIR PARTS DEVICE REASON
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [out, partsFile, device, reason] = process.argv.slice(2);
const read = (file) => (existsSync(join(out, file)) ? readFileSync(join(out, file), 'utf8') : '');

const parts = readFileSync(partsFile, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [name, status, seconds, ...detail] = line.split(' ');
    return { name, status, seconds: Number(seconds), detail: detail.join(' ') };
  });

function suiteResults() {
  const text = read('suite.json');
  if (text === '') return undefined;
  const report = JSON.parse(text);
  const failures = report.testResults.flatMap(({ name, message, assertionResults }) => {
    const file = name.replace(/^.*\/selfnorm\//, '');
    const own = assertionResults.filter(({ status }) => status === 'failed');
    if (own.length === 0 && message) return [{ file, test: '(file)', message: message.split('\n')[0] }];
    return own.map(({ fullName, failureMessages }) => ({
      file,
      test: fullName,
      message: failureMessages[0]?.split('\n')[0] ?? '',
    }));
  });
  return { passed: report.numPassedTests, failed: report.numFailedTests, failures };
}

const suite = suiteResults();
const machine = /"name":"(NVIDIA[^"]*)"/.exec(read('doctor.txt'))?.[1] ?? '';
const results = { date: new Date().toISOString(), device, machine, reason, parts, suite };
writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);

const lines = ['# selfnorm on this machine', ''];
if (reason) lines.push(`**CUDA did not work: ${reason}.** Everything below ran on the ${device}.`, '');
lines.push(`${results.date.slice(0, 10)}, device: ${device}${machine ? `, ${machine}` : ''}`, '');
lines.push('| part | how it ended | seconds |', '|---|---|---|');
for (const { name, status, seconds, detail } of parts)
  lines.push(`| ${name} | ${status}${detail ? `: ${detail}` : ''} | ${seconds} |`);
lines.push('');
if (suite === undefined) lines.push('The suite left no report; see suite.log.', '');
else {
  lines.push(`Suite: ${suite.passed} passed, ${suite.failed} failed.`, '');
  for (const { file, test, message } of suite.failures.slice(0, 25))
    lines.push(`- ${file}: ${test}: ${message.slice(0, 160)}`);
  if (suite.failures.length > 25) lines.push(`- and ${suite.failures.length - 25} more in results.json`);
  if (suite.failures.length > 0) lines.push('');
}
const summary = /ERROR SUMMARY: .*/.exec(read('suite.log'))?.[0];
if (summary) lines.push(`compute-sanitizer: ${summary}`, '');
if (existsSync(join(out, 'bench.md'))) lines.push('The benches beside PyTorch: bench.md.', '');
writeFileSync(join(out, 'summary.md'), `${lines.join('\n')}\n`);
console.log(lines.slice(0, 14).join('\n'));
