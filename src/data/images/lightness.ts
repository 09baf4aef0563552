// One number a pixel from three: the lightness L* of CIE Lab, or the grey of ITU-R BT.601. Lightness runs from 0 to 100 and is
// given as 0 to 1.

/** sRGB bytes to light, IEC 61966-2-1. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
/** Luminance of the primaries, white being 1. */
const [RED, GREEN, BLUE] = ['0.2126729', '0.7151522', '0.0721750'].map(
  (share) => LINEAR.map((light) => light * Number(share)) as Float64Array,
) as [Float64Array, Float64Array, Float64Array];
const STEPS = 1 << 14;

/** L* / 100 of a luminance from 0 to 1. */
function lightnessOf(luminance: number): number {
  return luminance > (6 / 29) ** 3 ? 1.16 * Math.cbrt(luminance) - 0.16 : (luminance * (29 / 3) ** 3) / 100;
}

/** Of equally spaced luminances; between two of them a straight line errs by less than 1e-6. A cube root a pixel takes longer. */
const TABLE = Float64Array.from({ length: STEPS + 2 }, (_, step) => lightnessOf(step / STEPS));

/** Lightness from 0 to 1 of pixels of three bytes. */
export function lightness(rgb: Uint8Array, into: Float32Array): void {
  for (let pixel = 0, at = 0; pixel < into.length; pixel++, at += 3) {
    const place = (RED[rgb[at]!]! + GREEN[rgb[at + 1]!]! + BLUE[rgb[at + 2]!]!) * STEPS;
    const below = place | 0;
    const low = TABLE[below]!;
    into[pixel] = low + (TABLE[below + 1]! - low) * (place - below);
  }
}

/** Grey from 0 to 255 of pixels of three bytes. */
export function grey(rgb: Uint8Array, into: Uint8Array): void {
  for (let pixel = 0, at = 0; pixel < into.length; pixel++, at += 3) {
    into[pixel] = (299 * rgb[at]! + 587 * rgb[at + 1]! + 114 * rgb[at + 2]! + 500) / 1000;
  }
}
