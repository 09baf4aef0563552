// The report as one HTML file: pictures inside it, no scripts, nothing fetched, so that it can be mailed and opened years later.
import { formatDuration } from './duration.js';
import { markup, Markup } from './markup.js';
import { STYLE } from './page-style.js';
import type { Cell, Claim, Figure, Report, Section, Table, Verdict } from './report.js';

const VERDICTS: Readonly<Record<Verdict, string>> = { yes: 'yes', no: 'no', partly: 'partly', open: 'open' };

function formatCell(cell: Cell, digits: number | undefined): string {
  if (cell === undefined) return '–';
  if (typeof cell === 'string') return cell;
  return digits === undefined ? String(cell) : cell.toFixed(digits);
}

/** Whether a cell is a number, one that is written out, or none. */
const isFigure = (cell: Cell): boolean => typeof cell !== 'string' || /^[–−±\d.,%]+$/.test(cell);

function tableMarkup({ caption, columns, rows }: Table): Markup {
  // "never" among numbers stands under them too.
  const isNumeric = (cells: readonly Cell[]): boolean =>
    cells.some((cell) => typeof cell === 'number') || cells.every(isFigure);
  const numeric = columns.map((_, i) => isNumeric(rows.map((row) => row[i])));
  const kind = (i: number): Markup => (numeric[i]! ? markup` class="number"` : markup``);
  return markup`<p class="caption">${caption}</p><div class="scroll"><table${columns.length > 4 ? markup` class="wide"` : markup``}>
<thead><tr>${columns.map(({ title }, i) => markup`<th${kind(i)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      markup`<tr>
        ${columns.map(({ digits }, i) => markup`<td${kind(i)}>${formatCell(row[i], digits)}</td>`)}
      </tr> `,
  )}</tbody></table></div>
`;
}

function figureMarkup(figure: Figure, svg: string): Markup {
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return markup`<figure id="${figure.name}">
    <h3>${figure.title}</h3>
    <figcaption>${figure.caption}</figcaption>
    <img src="${source}" width="${width}" height="${height}" alt="${`${figure.title}. ${figure.caption}`}" />
  </figure> `;
}

function sectionMarkup({ title, text, tables, figures }: Section, drawings: ReadonlyMap<string, string>): Markup {
  return markup`<section>
    <h2>${title}</h2>
    ${text.map((paragraph) => markup`<p>${paragraph}</p> `)}${tables.map(tableMarkup)}
    ${figures.length === 0 ? markup`` : markup`<div class="figures">${figures.map((figure) => figureMarkup(figure, drawings.get(figure.name)!))}</div>`}
  </section> `;
}

function claimsMarkup(claims: readonly Claim[]): Markup {
  return markup`<section id="claims">
    <h2>What the document claims, and what was measured</h2>
    <table class="claims">
      <thead>
        <tr>
          <th>Claim of the document</th>
          <th>What was measured</th>
          <th>Reproduced</th>
        </tr>
      </thead>
      <tbody>
        ${claims.map(
          ({ claim, measured, verdict }) =>
            markup`<tr>
              <td>${claim}</td>
              <td data-title="What was measured">${measured}</td>
              <td data-title="Reproduced"><span class="verdict ${verdict}">${VERDICTS[verdict]}</span></td>
            </tr> `,
        )}
      </tbody>
    </table>
  </section> `;
}

/** What a reader knows the device by. */
const deviceName = ({ device, deviceFacts, processor, cores }: Report['environment']): string =>
  device === 'cpu' ? `CPU: ${processor}, ${cores} cores` : `${device}: ${deviceFacts['name']}`;

function factsMarkup({ environment, seconds, settings, started }: Report): Markup {
  const facts: Record<string, string> = {
    Device: deviceName(environment),
    Duration: formatDuration(seconds),
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    Date: started.slice(0, 10),
  };
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

function environmentMarkup({ environment, command }: Report): Markup {
  const rows: Record<string, string> = {
    selfnorm: environment.selfnorm,
    'Node.js': environment.node,
    System: environment.system,
    Processor: `${environment.processor}, ${environment.cores} cores, ${environment.memory} GiB of memory`,
    Device: environment.device,
    ...Object.fromEntries(Object.entries(environment.deviceFacts).map(([key, value]) => [`Device: ${key}`, value])),
  };
  return markup`<section>
    <h2>How to get this report again</h2>
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

/**
 * The page.
 * @param drawings SVG text by figure name; one for every figure of the report.
 */
export function renderPage(report: Report, drawings: ReadonlyMap<string, string>): string {
  const [first, ...rest] = report.sections.map((section) => sectionMarkup(section, drawings));
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${report.title}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${report.title}</h1>
          <p class="document">${report.document}</p>
        </header>
        <div class="findings">${report.findings.map((finding) => markup`<p>${finding}</p>`)}</div>
        ${factsMarkup(report)}${first ?? markup``}${rest}${claimsMarkup(report.claims)}${environmentMarkup(report)}
      </body>
    </html> `.text;
}
