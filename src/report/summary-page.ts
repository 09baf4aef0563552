// The index page of a run of all experiments: each with its report and what was found, then every claim in one table.
import { formatDuration } from './duration.js';
import { markup, type Markup } from './markup.js';
import { deviceName, factsMarkup, originMarkup, pageMarkup, verdictMarkup } from './page-parts.js';
import type { Claim } from './report.js';
import {
  claimsOf,
  countVerdicts,
  secondsOf,
  sumUp,
  VERDICT_ORDER,
  type Summary,
  type SummaryEntry,
} from './summary.js';

/** `3 yes  1 no`, each in its colour; those that are none are left out. */
function countsMarkup(claims: readonly Claim[]): Markup {
  const counts = countVerdicts(claims);
  const met = VERDICT_ORDER.filter((verdict) => counts[verdict] > 0);
  return markup`${met.map((verdict) => markup`${verdictMarkup(verdict, `${counts[verdict]} ${verdict}`)} `)}`;
}

/** An experiment's name: a link where there is a report. */
const nameMarkup = ({ experiment, report }: SummaryEntry): Markup =>
  report === undefined ? markup`${experiment}` : markup`<a href="${report.page}">${experiment}</a>`;

function entryMarkup(entry: SummaryEntry): Markup {
  const { document, extent, state, error, report, seconds } = entry;
  const seeds = report === undefined || report.seeds === '' ? '' : `; seeds: ${report.seeds}`;
  const found = {
    finished: markup`<b>${report?.title}.</b> ${report?.finding}`,
    failed: markup`${verdictMarkup('no', 'failed')} ${error}`,
    waiting: markup`${verdictMarkup('open', 'not run yet')}`,
  }[state];
  return markup`<tr>
    <td><b>${nameMarkup(entry)}</b><small>document ${document}</small></td>
    <td data-title="What was found">${found}<small>${extent}${seeds}</small></td>
    <td data-title="Claims reproduced">${report === undefined ? '–' : countsMarkup(report.claims)}</td>
    <td data-title="Duration">${state === 'waiting' ? '–' : formatDuration(seconds)}</td>
  </tr> `;
}

function entriesMarkup(entries: readonly SummaryEntry[]): Markup {
  return markup`<section id="experiments">
    <h2>The experiments</h2>
    <table class="claims entries">
      <thead>
        <tr>
          <th>Experiment</th>
          <th>What was found</th>
          <th>Claims reproduced</th>
          <th>Duration</th>
        </tr>
      </thead>
      <tbody>
        ${entries.map(entryMarkup)}
      </tbody>
    </table>
  </section> `;
}

/** The claims of an experiment; its name stands once, beside all of them. */
function claimRows(entry: SummaryEntry): Markup[] {
  const claims = entry.report?.claims ?? [];
  return claims.map(
    ({ claim, measured, verdict }, i) =>
      markup`<tr>
        ${i > 0 ? markup`` : markup`<td class="group" rowspan="${claims.length}"><b>${nameMarkup(entry)}</b></td>`}
        <td class="claim">${claim}</td>
        <td data-title="What was measured">${measured}</td>
        <td data-title="Reproduced">${verdictMarkup(verdict)}</td>
      </tr> `,
  );
}

function allClaimsMarkup(entries: readonly SummaryEntry[]): Markup {
  return markup`<section id="claims">
    <h2>What the documents claim, and what was measured</h2>
    <table class="claims all">
      <thead>
        <tr>
          <th>Experiment</th>
          <th>Claim of the document</th>
          <th>What was measured</th>
          <th>Reproduced</th>
        </tr>
      </thead>
      <tbody>
        ${entries.flatMap(claimRows)}
      </tbody>
    </table>
  </section> `;
}

/** The index page. */
export function renderSummary(summary: Summary): string {
  const { environment, entries, size, started, command } = summary;
  const done = entries.filter(({ state }) => state === 'finished').length;
  const facts = {
    Device: deviceName(environment),
    Duration: formatDuration(secondsOf(summary)),
    Size: size,
    Experiments: done === entries.length ? String(done) : `${done} of ${entries.length}`,
    Claims: String(claimsOf(summary).length),
    selfnorm: environment.selfnorm,
    Date: started.slice(0, 10),
  };
  const page = {
    title: 'Claims about activation functions, tried',
    under: 'Every experiment of selfnorm, and all that its document claims',
    findings: sumUp(summary),
  };
  return pageMarkup(page, [
    factsMarkup(facts),
    entriesMarkup(entries),
    allClaimsMarkup(entries),
    originMarkup('How to get this page again', command, environment),
  ]).text;
}
