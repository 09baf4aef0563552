// What every page is made of: its frame, the list of facts under its head, a verdict as a coloured word.
import type { Environment } from './environment.js';
import { markup, Markup } from './markup.js';
import { STYLE } from './page-style.js';
import type { Verdict } from './report.js';

const VERDICTS: Readonly<Record<Verdict, string>> = { yes: 'yes', no: 'no', partly: 'partly', open: 'open' };

/** A verdict, or a word of one's own in its colour. */
export function verdictMarkup(verdict: Verdict, text = VERDICTS[verdict]): Markup {
  return markup`<span class="verdict ${verdict}">${text}</span>`;
}

/** What a reader knows the device by. */
export const deviceName = ({ device, deviceFacts, processor, cores }: Environment): string =>
  device === 'cpu' ? `CPU: ${processor}, ${cores} cores` : `${device}: ${deviceFacts['name']}`;

/** Short facts by name. */
export function factsMarkup(facts: Readonly<Record<string, string>>): Markup {
  return markup`<dl class="facts">
    ${Object.entries(facts).map(
      ([name, value]) =>
        markup`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl> `;
}

/** How to get a page again: the command, a word on it, and the machine it was made on. */
export function originMarkup(title: string, command: string, environment: Environment): Markup {
  const rows: Record<string, string> = {
    selfnorm: environment.selfnorm,
    'Node.js': environment.node,
    System: environment.system,
    Processor: `${environment.processor}, ${environment.cores} cores, ${environment.memory} GiB of memory`,
    Device: environment.device,
    ...Object.fromEntries(Object.entries(environment.deviceFacts).map(([key, value]) => [`Device: ${key}`, value])),
  };
  return markup`<section>
    <h2>${title}</h2>
    <p><code>${command}</code></p>
    <p>
      The same seeds on the same device give the same numbers; another device rounds differently, and curves part after
      some steps.
    </p>
    <table>
      <tbody>
        ${Object.entries(rows).map(
          ([name, value]) =>
            markup`<tr>
              <td>${name}</td>
              <td>${value}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </section> `;
}

/** A whole page: head, title and the words under it, what was found, and the rest. */
export function pageMarkup(
  page: { readonly title: string; readonly under: string; readonly findings: readonly string[] },
  body: readonly Markup[],
): Markup {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${page.title}</h1>
          <p class="document">${page.under}</p>
        </header>
        <div class="findings">${page.findings.map((finding) => markup`<p>${finding}</p>`)}</div>
        ${body}
      </body>
    </html> `;
}
