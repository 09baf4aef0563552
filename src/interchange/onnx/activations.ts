// Activations as ONNX's operators of opset 17; what has none is made of several.
import { activationTable } from '../../tensor/activation-facts.js';
import type { AppliedActivation } from '../../ops/activation.js';
import type { GraphBuilder } from './graph-builder.js';

/** Parameters by name: alpha, scale, beta. */
type Parameters = Readonly<Record<string, number>>;
type Write = (graph: GraphBuilder, x: string, parameters: Parameters) => string;

const one =
  (type: string, attributes: (parameters: Parameters) => Record<string, { f: number }> = () => ({})): Write =>
  (graph, x, parameters) =>
    graph.node(type, [x], attributes(parameters));

/** 0.5 x (1 + inner). */
const gelu = (graph: GraphBuilder, x: string, inner: string): string => {
  const half = graph.node('Mul', [x, graph.scalar(0.5)]);
  return graph.node('Mul', [half, graph.node('Add', [inner, graph.scalar(1)])]);
};

const WRITERS: Readonly<Record<string, Write>> = {
  linear: (_, x) => x,
  relu: one('Relu'),
  relu6: (graph, x) => graph.node('Clip', [x, graph.scalar(0), graph.scalar(6)]),
  leakyRelu: one('LeakyRelu', ({ alpha }) => ({ alpha: { f: alpha! } })),
  elu: one('Elu', ({ alpha }) => ({ alpha: { f: alpha! } })),
  selu: one('Selu', ({ alpha, scale }) => ({ alpha: { f: alpha! }, gamma: { f: scale! } })),
  celu: one('Celu', ({ alpha }) => ({ alpha: { f: alpha! } })),
  softplus: (graph, x, { beta }) => {
    if (beta === 1) return graph.node('Softplus', [x]);
    const scaled = graph.node('Mul', [x, graph.scalar(beta!)]);
    return graph.node('Div', [graph.node('Softplus', [scaled]), graph.scalar(beta!)]);
  },
  sigmoid: one('Sigmoid'),
  hardSigmoid: one('HardSigmoid', () => ({ alpha: { f: 1 / 6 }, beta: { f: 0.5 } })),
  logSigmoid: (graph, x) => graph.node('Neg', [graph.node('Softplus', [graph.node('Neg', [x])])]),
  tanh: one('Tanh'),
  softsign: one('Softsign'),
  silu: (graph, x) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]),
  mish: (graph, x) => graph.node('Mul', [x, graph.node('Tanh', [graph.node('Softplus', [x])])]),
  hardSwish: one('HardSwish'),
  gelu: (graph, x) => gelu(graph, x, graph.node('Erf', [graph.node('Mul', [x, graph.scalar(Math.SQRT1_2)])])),
  geluTanh: (graph, x) => {
    const cube = graph.node('Mul', [graph.node('Mul', [x, x]), x]);
    const sum = graph.node('Add', [x, graph.node('Mul', [cube, graph.scalar(0.044715)])]);
    return gelu(graph, x, graph.node('Tanh', [graph.node('Mul', [sum, graph.scalar(Math.sqrt(2 / Math.PI))])]));
  },
};

/** Adds an activation; null where ONNX has none. */
export function writeActivation(
  graph: GraphBuilder,
  x: string,
  { name, parameters }: AppliedActivation,
): string | null {
  const write = Object.hasOwn(WRITERS, name) ? WRITERS[name] : undefined;
  if (write === undefined) return null;
  const names = activationTable().get(name)?.parameters ?? [];
  return write(graph, x, Object.fromEntries(names.map((parameter, i) => [parameter.name, parameters[i]!])));
}
