// From a chart's data to its Vega-Lite specification.
import type { TopLevelSpec } from 'vega-lite';
import type { Chart } from './chart.js';
import { dotSpec } from './dot-chart.js';
import { gridSpec } from './grid-chart.js';
import { heatSpec } from './heat-chart.js';
import { lineSpec } from './line-chart.js';
import { mapSpec } from './map-chart.js';
import { panelSpec } from './panel-chart.js';
import { planeSpec } from './plane-chart.js';
import { shareSpec } from './share-chart.js';

/** The Vega-Lite specification of a chart. Values that are not finite leave a gap. */
export function toVegaLite(chart: Chart): TopLevelSpec {
  switch (chart.kind) {
    case 'lines':
      return lineSpec(chart);
    case 'dots':
      return dotSpec(chart);
    case 'plane':
      return planeSpec(chart);
    case 'panels':
      return panelSpec(chart);
    case 'maps':
      return mapSpec(chart);
    case 'shares':
      return shareSpec(chart);
    case 'grid':
      return gridSpec(chart);
    case 'heat':
      return heatSpec(chart);
  }
}
