// Colours as grey and as CIE L*: published values, and the definitions in float64.
import { describe, expect, test } from 'vitest';
import { grey, lightness } from '../../src/data/images/lightness.js';
import { pattern } from './made-files.js';

describe('lightness', () => {
  // CIE Lab of sRGB colours (D65), as published with the CIE formulae to four digits.
  test.each([
    ['white', [255, 255, 255], 100],
    ['black', [0, 0, 0], 0],
    ['red', [255, 0, 0], 53.2408],
    ['green', [0, 255, 0], 87.7347],
    ['blue', [0, 0, 255], 32.297],
    ['grey 119', [119, 119, 119], 50.0344],
  ])('of %s', (_, rgb, expected) => {
    const into = new Float32Array(1);
    lightness(Uint8Array.from(rgb), into);
    expect(Math.abs(100 * into[0]! - expected)).toBeLessThan(5e-4);
  });

  test('of any colour is that of the definition', () => {
    const rgb = pattern(3 * 4096, 37).map((value, i) => (value + 11 * (i >> 8)) % 256);
    const into = new Float32Array(4096);
    lightness(rgb, into);
    const light = (byte: number): number =>
      byte <= 10.31475 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;
    let most = 0;
    into.forEach((value, i) => {
      const [r, g, b] = [light(rgb[3 * i]!), light(rgb[3 * i + 1]!), light(rgb[3 * i + 2]!)];
      const y = 0.2126729 * r + 0.7151522 * g + 0.072175 * b;
      const expected = y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
      most = Math.max(most, Math.abs(value - expected / 100));
    });
    expect(most).toBeLessThan(1e-6);
  });

  test('and grey rounds to the nearest', () => {
    const into = new Uint8Array(3);
    grey(Uint8Array.from([255, 255, 255, 10, 20, 30, 0, 0, 5]), into);
    expect([...into]).toEqual([255, 18, 1]);
  });
});
