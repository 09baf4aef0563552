// What a run of all experiments says, as data: index.json is this, index.html a view of it.
import type { Environment } from './environment.js';
import type { Claim, Report, Verdict } from './report.js';

/** One experiment of a run of all. */
export interface SummaryEntry {
  /** The experiment's name, and its folder's. */
  readonly experiment: string;
  /** What is being reproduced. */
  readonly document: string;
  /** What the size of the run means here. */
  readonly extent: string;
  readonly state: 'waiting' | 'finished' | 'failed';
  /** Why it failed, in one line. */
  readonly error?: string;
  /** What its report says, where it is finished. */
  readonly report?: {
    /** Path of the page, from the folder of the summary. */
    readonly page: string;
    readonly title: string;
    readonly finding: string;
    readonly seeds: string;
    readonly claims: readonly Claim[];
  };
  /** Seconds spent, those of interrupted parts included. */
  readonly seconds: number;
}

/** All experiments of a run. */
export interface Summary {
  readonly size: string;
  /** The command that makes this summary again. */
  readonly command: string;
  readonly environment: Environment;
  readonly entries: readonly SummaryEntry[];
  /** ISO dates. */
  readonly started: string;
  /** Undefined while experiments are waiting. */
  readonly finished?: string;
}

/** In the order in which a reader asks. */
export const VERDICT_ORDER: readonly Verdict[] = ['yes', 'partly', 'no', 'open'];

/** How many claims came out how. */
export function countVerdicts(claims: readonly Claim[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { yes: 0, partly: 0, no: 0, open: 0 };
  for (const { verdict } of claims) counts[verdict]++;
  return counts;
}

/** What a summary takes from a report. */
export function excerptOf(report: Report, page: string): NonNullable<SummaryEntry['report']> {
  const { title, findings, settings, claims } = report;
  const seeds = String(settings['Seeds'] ?? settings['Seed'] ?? '');
  return { page, title, finding: findings[0] ?? '', seeds, claims };
}

/** The claims of all reports that are there. */
export const claimsOf = ({ entries }: Pick<Summary, 'entries'>): Claim[] =>
  entries.flatMap(({ report }) => report?.claims ?? []);

/** Seconds of all experiments together. */
export const secondsOf = ({ entries }: Pick<Summary, 'entries'>): number =>
  entries.reduce((sum, { seconds }) => sum + seconds, 0);

/** In words: how many claims were reproduced, then which experiments are missing. */
export function sumUp(summary: Pick<Summary, 'entries'>): string[] {
  const claims = claimsOf(summary);
  const { yes, partly, no, open } = countVerdicts(claims);
  const named = (state: SummaryEntry['state']): string =>
    summary.entries
      .filter((entry) => entry.state === state)
      .map(({ experiment }) => experiment)
      .join(', ');
  const [failed, waiting] = [named('failed'), named('waiting')];
  return [
    `Claims of the documents: ${claims.length}. Reproduced: ${yes}; in part: ${partly}; not: ${no}; left open at this size: ${open}.`,
    ...(failed === '' ? [] : [`Failed, and not counted: ${failed}.`]),
    ...(waiting === '' ? [] : [`Not run yet: ${waiting}.`]),
  ];
}
