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
