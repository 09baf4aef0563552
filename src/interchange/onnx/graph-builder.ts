// An ONNX graph as it grows: nodes, constants and the values between them. Images are channels last here and channels first in ONNX's
// convolutions; a value remembers which it is, and is turned only where a node wants it the other way, once.
import type { SymbolicShape } from '../../layers/symbolic.js';
import { isFloat, type DType } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import { constantMessage, nodeMessage, type Attribute, type Element } from './messages.js';

/** A value between nodes. */
export interface Value {
  readonly name: string;
  /** As layers see it: images channels last. */
  readonly shape: SymbolicShape;
  /** Whether the graph has it with the channels behind the batch axis; images alone. */
  readonly channelsFirst: boolean;
  readonly element: Element;
}

/** ONNX's type for a dtype: every float is float32. */
export const elementOf = (dtype: DType): Element =>
  isFloat(dtype) ? 'float32' : (dtype as 'int32' | 'uint8' | 'bool');

/** Axis of an image with channels last, as an axis with channels first. */
export const imageAxis = (axis: number): number => [0, 2, 3, 1][axis]!;

/** Nodes and constants, with names of their own. */
export class GraphBuilder {
  readonly nodes: Uint8Array[] = [];
  readonly constants: Uint8Array[] = [];
  private readonly names = new Set<string>();
  private readonly known = new Map<string, string>();
  /** Values that were turned, by the name of the other. */
  private readonly turned = new Map<string, string>();

  private readonly owners = new Map<object, string>();

  /** A word for an object that no other object has: nested models have weights of one name. */
  keyOf(object: object, name: string): string {
    let key = this.owners.get(object);
    if (key === undefined) {
      const taken = new Set(this.owners.values());
      key = name;
      for (let i = 1; taken.has(key); i++) key = `${name}_${i}`;
      this.owners.set(object, key);
    }
    return key;
  }

  /** A name that nothing else in the graph has. */
  unique(name: string): string {
    let free = name;
    for (let i = 1; this.names.has(free); i++) free = `${name}_${i}`;
    this.names.add(free);
    return free;
  }

  /** Adds a node of one output, and gives that output's name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name = type,
  ): string {
    const output = this.unique(name);
    this.nodes.push(nodeMessage(type, output, inputs, [output], attributes));
    return output;
  }

  /** A value under a name that was set aside for it. */
  identity(value: string, name: string): void {
    this.nodes.push(nodeMessage('Identity', name, [value], [name], {}));
  }

  /** Floats as a constant; asked again under that name, the one that is there. */
  floats(name: string, shape: readonly number[], values: () => Float32Array): string {
    return this.constant(name, shape, 'float32', values);
  }
  scalar(value: number): string {
    return this.floats(`scalar ${value}`, [], () => Float32Array.of(value));
  }
  /** Sizes for Reshape: 0 keeps an axis, -1 is worked out. */
  sizes(values: readonly number[]): string {
    const name = `sizes ${values.join(' ')}`;
    return this.constant(name, [values.length], 'int64', () => BigInt64Array.from(values.map(BigInt)));
  }

  private constant(
    key: string,
    shape: readonly number[],
    element: Element,
    values: () => Float32Array | BigInt64Array,
  ): string {
    let name = this.known.get(key);
    if (name !== undefined) return name;
    name = this.unique(key);
    const { buffer, byteOffset, byteLength, length } = values();
    if (length !== sizeOf(shape)) throw new Error(`constant ${key}: expected ${sizeOf(shape)} values, got ${length}`);
    this.constants.push(
      constantMessage({ name, shape, element, data: new Uint8Array(buffer, byteOffset, byteLength) }),
    );
    this.known.set(key, name);
    return name;
  }

  /** The value as layers see it. */
  channelsLast(value: Value): Value {
    return value.channelsFirst ? this.turn(value, [0, 2, 3, 1]) : value;
  }
  /** An image as ONNX's convolutions want it. */
  channelsFirst(value: Value): Value {
    return value.channelsFirst ? value : this.turn(value, [0, 3, 1, 2]);
  }
  private turn(value: Value, perm: readonly number[]): Value {
    let name = this.turned.get(value.name);
    if (name === undefined) {
      name = this.node('Transpose', [value.name], { perm });
      this.turned.set(value.name, name);
      this.turned.set(name, value.name);
    }
    return { ...value, name, channelsFirst: !value.channelsFirst };
  }

  /** The value as float32. */
  float(value: Value): Value {
    return this.cast(value, 'float32', 1);
  }
  int32(value: Value): Value {
    return this.cast(value, 'int32', 6);
  }
  private cast(value: Value, element: Element, to: number): Value {
    return value.element === element ? value : { ...value, name: this.node('Cast', [value.name], { to }), element };
  }
}
