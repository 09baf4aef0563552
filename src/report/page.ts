// The report as one HTML file: pictures inside it, no scripts, nothing fetched, so that it can be mailed and opened years later.
import { formatDuration } from './duration.js';
import { markup, type Markup } from './markup.js';
import { deviceName, factsMarkup, originMarkup, pageMarkup, verdictMarkup } from './page-parts.js';
import type { Cell, Claim, Figure, Report, Section, Table } from './report.js';

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
              <td data-title="Reproduced">${verdictMarkup(verdict)}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </section> `;
}

/** The facts of a run, its own settings among them. */
function factsOf({ environment, seconds, settings, started }: Report): Record<string, string> {
  return {
    Device: deviceName(environment),
    Duration: formatDuration(seconds),
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    Date: started.slice(0, 10),
  };
}

/**
 * The page.
 * @param drawings SVG text by figure name; one for every figure of the report.
 */
export function renderPage(report: Report, drawings: ReadonlyMap<string, string>): string {
  const { title, document, findings, sections, claims, command, environment } = report;
  return pageMarkup({ title, under: document, findings }, [
    factsMarkup(factsOf(report)),
    ...sections.map((section) => sectionMarkup(section, drawings)),
    claimsMarkup(claims),
    originMarkup('How to get this report again', command, environment),
  ]).text;
}
