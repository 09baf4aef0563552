// From what a layer's option says to the initializer. Importing the families enters them.
import './fixed.js';
import './orthogonal.js';
import './random.js';
import './variance-scaling.js';
import { initializerRegistry, type InitializerIdentifier, type InitializerLike } from './initializer.js';

/**
 * The initializer that a name ('leCunNormal'), a serialised one or the object itself means.
 * @throws ArgumentError that lists the known names.
 */
export function getInitializer(identifier: InitializerIdentifier): InitializerLike {
  return initializerRegistry.get(identifier);
}
