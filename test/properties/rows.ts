// Every op that the package exports, by name, with the property it is held to.
import { CREATION } from './creation.js';
import type { Row } from './draw.js';
import { ELEMENTWISE } from './elementwise.js';
import { LOSSES } from './losses.js';
import { MOVEMENT } from './movement.js';
import { PRODUCTS } from './products.js';
import { REDUCTIONS } from './reductions.js';

export const ROWS: Readonly<Record<string, Row>> = {
  ...CREATION,
  ...ELEMENTWISE,
  ...LOSSES,
  ...MOVEMENT,
  ...PRODUCTS,
  ...REDUCTIONS,
};
