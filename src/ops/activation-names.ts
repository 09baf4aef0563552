// The activation functions as types: what activations.ts exports, by name. The one place that takes that module as a namespace:
// the bundler of the type declarations writes a namespace only where its module comes first, so index.ts begins with this.
import type * as functions from './activations.js';

/** Every activation function by its name. */
export type ActivationFunctions = typeof functions;

/** The name of a row of the native table: a function of activations.ts, or the form that `gelu` takes an argument for. */
export type ActivationName = keyof ActivationFunctions | 'geluTanh';
