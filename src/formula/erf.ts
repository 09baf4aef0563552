// The error function in float64, which JavaScript lacks: for checking formulas, not for computing with them.

const LIMIT = 6;

/** 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, to about 1e-15. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < LIMIT)) return Number.isNaN(x) ? x : Math.sign(x);
  return Math.sign(x) * (a < 2.5 ? series(a) : 1 - tail(a));
}

// exp(-a^2) times a sum of positive terms: nothing cancels.
function series(a: number): number {
  let term = a;
  let sum = a;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
}

// The continued fraction of erfc, from its far end.
function tail(a: number): number {
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction);
}
