// ONNX's messages: numbers of fields and of types as in onnx.proto, version 8 of the format.
import { bytes, float, message, whole, type Field } from '../protobuf.js';

/** Element types that are written. */
export const ELEMENT = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;
export type Element = keyof typeof ELEMENT;

/** Whole numbers of at least 0, one alone or a list; `{f}` is a float, text is text. */
export type Attribute = number | readonly number[] | string | { readonly f: number };

/** Constant values in the graph. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly element: Element;
  readonly data: Uint8Array;
}
/** A value's place in the signature; a size that is not known has a name. */
export interface Signature {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly element: Element;
}

const KIND = { float: 1, int: 2, string: 3, ints: 7 } as const;

function attribute(name: string, value: Attribute): Uint8Array {
  const kind = (type: number): Field => whole(20, type);
  const named = bytes(1, name);
  if (typeof value === 'number') return message(named, whole(3, value), kind(KIND.int));
  if (typeof value === 'string') return message(named, bytes(4, value), kind(KIND.string));
  if ('f' in value) return message(named, float(2, value.f), kind(KIND.float));
  return message(named, ...value.map((one) => whole(8, one)), kind(KIND.ints));
}

/** NodeProto. */
export function nodeMessage(
  type: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
): Uint8Array {
  return message(
    ...inputs.map((input) => bytes(1, input)),
    ...outputs.map((output) => bytes(2, output)),
    bytes(3, name),
    bytes(4, type),
    ...Object.entries(attributes).map(([key, value]) => bytes(5, attribute(key, value))),
  );
}

/** TensorProto. */
export const constantMessage = ({ name, shape, element, data }: Constant): Uint8Array =>
  message(...shape.map((size) => whole(1, size)), whole(2, ELEMENT[element]), bytes(8, name), bytes(9, data));

/** ValueInfoProto. */
function signatureMessage({ name, shape, element }: Signature): Uint8Array {
  const sizes = shape.map((size) => bytes(1, message(typeof size === 'number' ? whole(1, size) : bytes(2, size))));
  const tensor = message(whole(1, ELEMENT[element]), bytes(2, message(...sizes)));
  return message(bytes(1, name), bytes(2, message(bytes(1, tensor))));
}

/** What a graph is made of; nodes and constants as messages. */
export interface GraphParts {
  readonly name: string;
  readonly nodes: readonly Uint8Array[];
  readonly constants: readonly Uint8Array[];
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
}

/** ModelProto. */
export function modelMessage(graph: GraphParts, opset: number, producerVersion: string): Uint8Array {
  const content = message(
    ...graph.nodes.map((node) => bytes(1, node)),
    bytes(2, graph.name),
    ...graph.constants.map((constant) => bytes(5, constant)),
    ...graph.inputs.map((input) => bytes(11, signatureMessage(input))),
    ...graph.outputs.map((output) => bytes(12, signatureMessage(output))),
  );
  return message(
    whole(1, 8),
    bytes(2, 'selfnorm'),
    bytes(3, producerVersion),
    bytes(7, content),
    bytes(8, message(bytes(1, ''), whole(2, opset))),
  );
}
