// Charts as SVG and PNG: what is in the data is in the picture, in words that any machine can draw.
import { describe, expect, test } from 'vitest';
import { draw, drawSvg } from '../../src/report/pictures.js';
import type { Chart, LineChart } from '../../src/report/chart.js';

const lines = (y: readonly number[], more: Partial<LineChart> = {}): LineChart => ({
  kind: 'lines',
  xTitle: 'epoch',
  yTitle: 'loss',
  series: [{ label: 'training', color: '#0072B2', y }],
  ...more,
});
const words = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
const paths = (svg: string): number => [...svg.matchAll(/<path [^>]*stroke="#0072B2"/g)].length;

describe('a line chart', () => {
  test('names its axes and series, and ticks every epoch of a short run', async () => {
    const found = words(await drawSvg(lines([3, 2, 1])));
    expect(found).toEqual(expect.arrayContaining(['epoch', 'loss', 'training', '1', '2', '3']));
  });

  test('draws one point, no point, and values that are not finite', async () => {
    expect(words(await drawSvg(lines([0.5])))).toContain('training');
    expect(words(await drawSvg(lines([])))).toContain('epoch');
    expect(await drawSvg(lines([1, NaN, 0.5, Infinity, 0.25]))).not.toMatch(/NaN|Infinity/);
  });

  test('draws the mean of several runs, and the runs behind it when asked', async () => {
    const series = [0, 1, 2].map((run) => ({ label: 'training', color: '#0072B2', y: [3 + run, 2 + run, 1 + run] }));
    const mean = await drawSvg(lines([], { series }));
    const all = await drawSvg(lines([], { series, showRuns: true }));
    expect(paths(all) - paths(mean)).toBe(3);
  });

  test('shades what lies between the runs when asked, and nothing behind a single one', async () => {
    const bands = (svg: string): number => [...svg.matchAll(/opacity="0.16"/g)].length;
    const series = [0, 1].map((run) => ({ label: 'training', color: '#0072B2', y: [3 + run, NaN, 1 + run] }));
    expect(bands(await drawSvg(lines([], { series, showBand: true })))).toBe(1);
    expect(bands(await drawSvg(lines([], { series })))).toBe(0);
    expect(bands(await drawSvg(lines([3, 2, 1], { showBand: true })))).toBe(0);
  });

  test('leaves out what lies wholly beyond its axis, and names it', async () => {
    const run = (label: string, y: number[]) => ({ label, color: '#0072B2', y });
    const series = [
      run('far', [8, 9, 8]),
      run('far', [7, NaN, 9]),
      run('near', [0.2, 0.4, 0.1]),
      run('through', [-3, 3]),
    ];
    const chart = lines([], { series, yDomain: [0, 1], showBand: true, showRuns: true });
    const { svg, png } = await draw(chart);
    expect(words(svg)).toEqual(expect.arrayContaining(['far', 'near', 'through', '3']));
    // The runs and means of the two that are seen, and a sample of each colour in the legend.
    expect(paths(svg)).toBe(2 + 2 + 3);
    expect(png.length).toBeGreaterThan(1000);
  });

  test('escapes markup in labels', async () => {
    const svg = await drawSvg(lines([1, 2], { yTitle: '<b> & "c"' }));
    expect(svg).toContain('&lt;b&gt; &amp;');
    expect(svg).not.toContain('<b>');
  });
});

test('a dot chart has its rows in order and names its references', async () => {
  const chart: Chart = {
    kind: 'dots',
    xTitle: 'accuracy',
    referenceLabel: 'the document',
    rows: [
      { label: 'zebra', values: [0.99, 0.991], reference: 0.992, color: '#0072B2' },
      { label: 'ant', values: [0.98], color: '#D55E00' },
      { label: 'none', values: [], color: '#009E73' },
    ],
  };
  const found = words(await drawSvg(chart));
  expect(found.filter((word) => ['zebra', 'ant', 'none'].includes(word))).toEqual(['zebra', 'ant', 'none']);
  expect(found).toContain('the document');
});

test('panels have their titles, the backdrop in each, and a legend', async () => {
  const chart: Chart = {
    kind: 'panels',
    xTitle: 'x',
    yTitle: 'y',
    columns: 2,
    xDomain: [0, 2],
    yDomain: [0, 1],
    backdrop: { label: 'target', color: '#D55E00', x: [0, 2], y: [0, 1] },
    panels: ['zebra', 'ant', 'bee'].map((title) => ({
      title,
      series: [{ label: 'learnt', color: '#0072B2', x: [0, 1, 2], y: [0.1, NaN, 0.3] }],
    })),
  };
  const svg = await drawSvg(chart);
  const found = words(svg);
  expect(found.filter((word) => ['zebra', 'ant', 'bee'].includes(word))).toEqual(['zebra', 'ant', 'bee']);
  expect(found).toEqual(expect.arrayContaining(['target', 'learnt']));
  // One in the legend, one in each panel.
  expect([...svg.matchAll(/<path [^>]*stroke="#D55E00"/g)]).toHaveLength(4);
});

describe('maps', () => {
  const chart = (cells: readonly (readonly number[])[]): Chart => ({
    kind: 'maps',
    xTitle: 'c',
    yTitle: 'd',
    columns: 2,
    classes: [
      { label: 'learns', color: '#0072B2' },
      { label: 'dies', color: '#D55E00' },
      { label: 'never seen', color: '#009E73' },
    ],
    x: [0, 1, 2],
    y: [1, 2, 4],
    logarithmicY: true,
    rings: [{ x: 1, y: 2 }],
    panels: [
      { title: 'zebra', cells },
      { title: 'ant', cells, path: { x: [0, 1], y: [1, 3] } },
    ],
  });
  const fills = (svg: string, color: string): number => [...svg.matchAll(new RegExp(`fill="${color}"`, 'g'))].length;

  test('merge cells of one class, and name the classes that are there', async () => {
    const one = await drawSvg(chart([[0, 0, 0], [0, 0, 0], [1, 1, 1]])); // prettier-ignore
    const many = await drawSvg(chart([[0, 1, 0], [1, 0, 1], [1, 1, 1]])); // prettier-ignore
    // A legend entry and, in two panels, two rows; or six cells and a row.
    expect(fills(one, '#0072B2')).toBe(1 + 2 * 2);
    expect(fills(one, '#D55E00')).toBe(1 + 2 * 1);
    expect(fills(many, '#0072B2')).toBe(1 + 2 * 3);
    expect(fills(many, '#D55E00')).toBe(1 + 2 * 4);
    expect(words(one)).toEqual(expect.arrayContaining(['zebra', 'ant', 'learns', 'dies']));
    expect(words(one)).not.toContain('never seen');
  });
});

test('divided bars keep the order of their rows, with the first count beside', async () => {
  const chart: Chart = {
    kind: 'shares',
    xTitle: 'share',
    classes: [
      { label: 'learns', color: '#0072B2' },
      { label: 'dies', color: '#D55E00' },
    ],
    rows: [
      { label: 'zebra', counts: [197, 3] },
      { label: 'ant', counts: [0, 200] },
    ],
  };
  const found = words(await drawSvg(chart));
  expect(found.filter((word) => ['zebra', 'ant'].includes(word))).toEqual(['zebra', 'ant']);
  expect(found).toEqual(expect.arrayContaining(['197', 'learns', 'dies', '100%']));
});

test('a grid has its rows and columns in order, words in its cells, and names the outcomes that are there', async () => {
  const chart: Chart = {
    kind: 'grid',
    xTitle: 'learning rate',
    rows: ['zebra', 'ant'],
    columns: ['0.003', '0.001'],
    classes: [
      { label: 'learns', color: '#BFE3D3' },
      { label: 'collapsed', color: '#F6C3A4' },
      { label: 'never seen', color: '#FBE7B2' },
    ],
    cells: [
      [{ class: 0, text: '3 of 3', note: 'loss 0.5' }, undefined],
      [
        { class: 1, text: '0 of 3' },
        { class: 0, text: '2 of 3' },
      ],
    ],
  };
  const svg = await drawSvg(chart);
  const found = words(svg);
  expect(found.filter((word) => ['zebra', 'ant'].includes(word))).toEqual(['zebra', 'ant']);
  expect(found.filter((word) => ['0.003', '0.001'].includes(word))).toEqual(['0.003', '0.001']);
  expect(found).toEqual(expect.arrayContaining(['3 of 3', 'loss 0.5', '0 of 3', '2 of 3', 'learns', 'collapsed']));
  expect(found).not.toContain('never seen');
  // One in the legend, and the cells.
  expect([...svg.matchAll(/fill="#BFE3D3"/g)]).toHaveLength(1 + 2);
});

test('a heat map has a panel each, the colours of its ends and middle, and no colour where there is no number', async () => {
  const chart = (cells: readonly (readonly (number | undefined)[])[]): Chart => ({
    kind: 'heat',
    xTitle: 'step',
    yTitle: 'layer',
    columns: 2,
    x: [0, 25, 50],
    y: [1, 2],
    scale: { kind: 'diverging', title: 'variance', domain: [0.25, 4], logarithmic: true, ticks: [0.25, 1, 4] },
    panels: ['zebra', 'ant'].map((title) => ({ title, cells })),
  });
  const svg = await drawSvg(chart([[0.25, 1, 4], [100, undefined, NaN]])); // prettier-ignore
  const found = words(svg);
  expect(found.filter((word) => ['zebra', 'ant'].includes(word))).toEqual(['zebra', 'ant']);
  expect(found).toEqual(expect.arrayContaining(['step', 'layer', 'variance', '0.25', '50']));
  const cells = (color: string): number => [...svg.matchAll(new RegExp(`fill="rgb\\(${color}\\)"`, 'g'))].length;
  // What lies beyond the domain has the colour of its end.
  expect([cells('0, 114, 178'), cells('255, 255, 255'), cells('179, 74, 0')]).toEqual([2, 2, 4]);
});

test('logarithmic axes have round ticks, and a level has its name', async () => {
  const chart = lines([0.9, 0.1, 0.02], {
    logarithmic: 'both',
    yDomain: [0.01, 1],
    series: [{ label: 'error', color: '#0072B2', x: [1, 10, 1000], y: [0.9, 0.1, 0.02] }],
    level: { y: 0.0625, label: 'straight line' },
  });
  expect(words(await drawSvg(chart))).toEqual(
    expect.arrayContaining(['1', '10', '100', '1,000', '0.1', 'straight line']),
  );
});

test('a PNG is twice as large as its SVG, and shows words without fonts of the system', async () => {
  const { svg, png } = await draw(lines([3, 2, 1]));
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.map(Number);
  const view = new DataView(png.buffer, png.byteOffset);
  expect(Buffer.from(png.subarray(1, 4)).toString()).toBe('PNG');
  expect(Math.abs(view.getUint32(16) - 2 * width!)).toBeLessThanOrEqual(2);
  expect(Math.abs(view.getUint32(20) - 2 * height!)).toBeLessThanOrEqual(2);
  const wordless = await draw(lines([3, 2, 1], { xTitle: '', yTitle: '' }));
  expect(png.length).toBeGreaterThan(wordless.png.length + 500);
});
