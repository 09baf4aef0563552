// Charts as SVG text and PNG bytes, without a browser. The font travels with the package, so that a picture has its words on a
// machine that has no fonts at all. The drawing libraries are loaded when the first picture is drawn.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { packageRoot } from '../native/paths.js';
import type { Chart } from './chart.js';
import { toVegaLite } from './vega-lite.js';

/** PNG pixels per unit of the SVG: sharp on a dense screen. */
const PNG_SCALE = 2;

/** A drawn chart. */
export interface Picture {
  readonly svg: string;
  readonly png: Uint8Array;
}

function fontFiles(): string[] {
  const require = createRequire(join(packageRoot(), 'package.json'));
  const fonts = dirname(require.resolve('@expo-google-fonts/inter/package.json'));
  return [join(fonts, '400Regular/Inter_400Regular.ttf'), join(fonts, '500Medium/Inter_500Medium.ttf')];
}

/** A logger that turns warnings into errors: a chart that draws wrongly is a bug here, and must not print. */
function strictLogger(): Record<string, (...args: unknown[]) => unknown> {
  const logger: Record<string, (...args: unknown[]) => unknown> = {};
  const refuse = (...args: unknown[]): never => {
    throw new Error(`chart: ${args.map(String).join(' ')}`);
  };
  return Object.assign(logger, {
    level: () => logger,
    warn: refuse,
    error: refuse,
    info: () => logger,
    debug: () => logger,
  });
}

/** Draws a chart as SVG. */
export async function drawSvg(chart: Chart): Promise<string> {
  return drawSpec(toVegaLite(chart));
}

/** Draws what Vega-Lite describes as SVG. */
export async function drawSpec(description: TopLevelSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const logger = strictLogger() as unknown as ReturnType<typeof vega.logger>;
  const { spec } = vegaLite.compile(description, { logger });
  const view = new vega.View(vega.parse(spec), { renderer: 'none', logger });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Turns an SVG picture into PNG bytes. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: PNG_SCALE },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: 'Inter', sansSerifFamily: 'Inter' },
  });
  return image.render().asPng();
}

/** Draws a chart both ways. */
export async function draw(chart: Chart): Promise<Picture> {
  const svg = await drawSvg(chart);
  return { svg, png: await renderPng(svg) };
}
