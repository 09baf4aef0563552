// Puts a report into a folder: report.html, report.json, pictures/<figure>.svg and .png. Every file appears whole or not at all.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { draw } from './pictures.js';
import { renderPage } from './page.js';
import type { Report } from './report.js';
import { writeAtomically } from '../files/write-atomically.js';

/** Where the parts of a report lie. */
export interface WrittenReport {
  readonly html: string;
  readonly json: string;
  readonly pictures: readonly string[];
}

/** Writes the report's files and gives their paths. Files of an earlier report in the folder are replaced. */
export async function writeReport(folder: string, report: Report): Promise<WrittenReport> {
  const pictureFolder = join(folder, 'pictures');
  mkdirSync(pictureFolder, { recursive: true });
  const drawings = new Map<string, string>();
  const pictures: string[] = [];
  for (const { name, chart } of report.sections.flatMap(({ figures }) => figures)) {
    const { svg, png } = await draw(chart);
    drawings.set(name, svg);
    for (const [ending, bytes] of [
      ['svg', svg],
      ['png', png],
    ] as const) {
      const file = join(pictureFolder, `${name}.${ending}`);
      writeAtomically(file, bytes);
      pictures.push(file);
    }
  }
  const html = join(folder, 'report.html');
  const json = join(folder, 'report.json');
  writeAtomically(html, renderPage(report, drawings));
  writeAtomically(json, `${JSON.stringify(report, null, 2)}\n`);
  return { html, json, pictures };
}
