// The roofline picture: what each row reaches, over how much it computes for each byte, under what the device could do.
import { writeFileSync } from 'node:fs';
import type { TopLevelSpec } from 'vega-lite';
import { CONFIG } from '../../src/report/chart-style.js';
import { drawSpec, renderPng } from '../../src/report/pictures.js';

export interface Point {
  readonly label: string;
  /** Flops for each byte moved. */
  readonly intensity: number;
  readonly teraflops: number;
}

/**
 * Writes `file`.svg and `file`.png.
 * @param bandwidth Of a copy, in GB/s: the slope. The ceiling is the fastest product there is.
 */
export async function drawRoofline(points: readonly Point[], bandwidth: number, file: string): Promise<void> {
  const ceiling = Math.max(...points.map(({ teraflops }) => teraflops));
  const intensities = points.map(({ intensity }) => intensity);
  const [least, most] = [Math.min(...intensities) / 2, Math.max(...intensities) * 2];
  const corner = (ceiling * 1000) / bandwidth;
  const roof = [least, Math.min(Math.max(corner, least), most), most].map((intensity) => ({
    intensity,
    teraflops: Math.min(ceiling, (intensity * bandwidth) / 1000),
  }));
  const x = {
    field: 'intensity',
    type: 'quantitative',
    scale: { type: 'log' },
    axis: { grid: false, tickCount: 6 },
    title: 'flops for each byte moved',
  };
  const y = {
    field: 'teraflops',
    type: 'quantitative',
    scale: { type: 'log' },
    axis: { grid: false, tickCount: 6 },
    title: 'TFLOP/s',
  };
  const spec = {
    width: 560,
    height: 340,
    config: CONFIG,
    layer: [
      { data: { values: roof }, mark: { type: 'line', color: '#9ca3af', strokeWidth: 2 }, encoding: { x, y } },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 55, opacity: 0.8 },
        encoding: { x, y, color: { field: 'label', type: 'nominal' }, shape: { field: 'label', type: 'nominal' } },
      },
    ],
  } as unknown as TopLevelSpec;
  const svg = await drawSpec(spec);
  writeFileSync(`${file}.svg`, svg);
  writeFileSync(`${file}.png`, await renderPng(svg));
}
