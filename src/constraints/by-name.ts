// From what a layer's option says to the constraint. Importing the families enters them.
import './moments.js';
import './norms.js';
import { constraintRegistry, type ConstraintIdentifier, type ConstraintLike } from './constraint.js';

/**
 * The constraint that a name, a serialised one or the object itself means; null stays null.
 * @throws ArgumentError that lists the known names.
 */
export function getConstraint(identifier: ConstraintIdentifier): ConstraintLike | null {
  return identifier === null || identifier === undefined ? null : constraintRegistry.get(identifier);
}
