// Points and weights for integrals over a normal distribution whose integrand has one kink: Gauss-Legendre on panels that
// begin at the kink, so that each panel sees a smooth function and every sum is one of terms of known sign.

/** Where an integrand is read, and what the value there counts. */
export interface GaussianNode {
  /** In standard deviations from the mean. */
  readonly t: number;
  /** mean + deviation * t, exact in the last digits next to 0. */
  readonly z: number;
  readonly weight: number;
}

/** Points of a panel. */
const ORDER = 20;
/** How many standard deviations from its peak an integrand is followed: exp(-12^2 / 2) is 1e-31. */
const REACH = 12;
/** Where exp(z) is this many powers of e below its largest value it is none. */
const VANISHED = 40;

/** Gauss-Legendre on [-1, 1]: the roots of the Legendre polynomial by Newton's method. */
function legendre(order: number): { readonly at: readonly number[]; readonly weight: readonly number[] } {
  const at: number[] = [];
  const weight: number[] = [];
  for (let i = 0; i < order; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (order + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let value = 1;
      let before = 0;
      for (let k = 1; k <= order; k++) [value, before] = [((2 * k - 1) * x * value - (k - 1) * before) / k, value];
      slope = (order * (x * value - before)) / (x * x - 1);
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    at.push(x);
    weight.push(2 / ((1 - x * x) * slope * slope));
  }
  return { at, weight };
}
const { at: POINTS, weight: WEIGHTS } = legendre(ORDER);
const DENSITY = 1 / Math.sqrt(2 * Math.PI);

/**
 * Points for integrals of f(z) over z ~ N(mean, deviation^2), where f is smooth but at 0, grows no faster than exp(2 z) below
 * it and than a polynomial above.
 */
export function gaussianNodes(mean: number, deviation: number): GaussianNode[] {
  const kink = -mean / deviation;
  // exp(2 z) moves the peak of what is integrated upwards, at most to the kink.
  const top = Math.min(2 * deviation, Math.max(kink, 0)) + REACH;
  const nodes: GaussianNode[] = [];
  // A panel as distances from `origin`: the kink where it is within reach, so that z has no rounding error there.
  const addPanel = (origin: number, from: number, to: number): void => {
    const centre = (from + to) / 2;
    const half = (to - from) / 2;
    POINTS.forEach((point, i) => {
      const distance = centre + half * point;
      const t = origin + distance;
      const z = origin === 0 ? mean + deviation * t : deviation * distance;
      nodes.push({ t, z, weight: WEIGHTS[i]! * half * DENSITY * Math.exp(-0.5 * t * t) });
    });
  };
  const within = kink > -REACH && kink < top;
  const origin = within ? kink : 0;
  if (kink < top) {
    const end = top - origin;
    for (let from = within ? 0 : -REACH; from < end; from += 1) addPanel(origin, from, Math.min(from + 1, end));
  }
  if (kink > -REACH) {
    const end = -REACH - origin;
    const steep = Math.min(1, 4 / deviation);
    const vanished = Math.min(mean, 0) - VANISHED;
    for (let from = within ? 0 : top; from > end;) {
      const z = within ? deviation * from : mean + deviation * from;
      const width = z > vanished ? steep : Math.min(1, Math.max(steep, Math.abs(from)));
      const to = Math.max(from - width, end);
      addPanel(origin, to, from);
      from = to;
    }
  }
  return nodes;
}
