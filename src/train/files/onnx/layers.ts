/** @file Each kind of layer as ONNX nodes, as it computes in a prediction. */
import type { Conv2d, LayerSpec, Pool } from "../../layers.ts";
import { nameOf } from "../../layers.ts";
import type { Layer, Network, Tensors } from "../../network.ts";
import { floatAttribute, GraphBuilder, type Value } from "./graph.ts";
import { writeOp } from "./ops.ts";
import type { Graph } from "./proto.ts";

const INPUT = "input";
const OUTPUT = "output";

/** The graph of a network: one input and one output, whose first axis is that of the rows. */
export function graphOf({ inputShape, outputShape, layers }: Network, tensors: Tensors): Graph {
  const graph = new GraphBuilder();
  let value = INPUT;
  let shape = inputShape;
  for (const layer of layers) {
    graph.begin(layer.index, nameOf(layer.spec));
    const x = reshaped(graph, value, shape, layer.inShape);
    value = writeLayer(graph, layer, x, tensors);
    shape = layer.outShape;
  }
  graph.finish(value, OUTPUT);
  return {
    name: "network",
    nodes: graph.nodes,
    initializers: graph.initializers,
    input: { name: INPUT, shape: inputShape },
    output: { name: OUTPUT, shape: outputShape },
  };
}

/** The same elements as rows of another shape. */
function reshaped(graph: GraphBuilder, x: Value, from: readonly number[], to: readonly number[]): Value {
  if (from.length === to.length && from.every((length, axis) => length === to[axis])) return x;
  if (to.length === 1) return graph.add("Flatten", [x], { axis: 1 });
  // 0 is as many rows as come.
  return graph.add("Reshape", [x, graph.integers([0, ...to])]);
}

function writeLayer(graph: GraphBuilder, layer: Layer, x: Value, tensors: Tensors): Value {
  const { spec, inShape, outShape } = layer;
  /** The tensor that the module calls so. */
  const tensor = (name: string): Value => {
    const full = `${layer.index}.${name}`;
    const { shape } = layer.tensors.find((each) => each.name === full)!;
    return graph.tensor(full, shape, tensors.get(full)!);
  };
  switch (spec.kind) {
    case "dense":
      return graph.add("Gemm", [x, ...weights(spec, tensor)], { transB: 1 });
    case "op":
      return writeOp(graph, spec, { x, shape: inShape }, learnedOf(layer, spec, tensors));
    // It is for training alone.
    case "dropout":
      return x;
    case "layer_norm":
      return graph.add("LayerNormalization", [x, ...weights({ bias: true }, tensor)], {
        axis: -1,
        epsilon: floatAttribute(spec.eps),
      });
    case "batch_norm": {
      const inputs = ["weight", "bias", "running_mean", "running_var"].map(tensor);
      return graph.add("BatchNormalization", [x, ...inputs], { epsilon: floatAttribute(spec.eps) });
    }
    case "standardize":
      return graph.add("Div", [graph.add("Sub", [x, tensor("mean")]), tensor("deviation")]);
    case "conv2d":
      return graph.add("Conv", [x, ...weights(spec, tensor)], windowAttributes(spec));
    case "max_pool":
      return graph.add("MaxPool", [x], windowAttributes(spec));
    case "avg_pool":
      return graph.add("AveragePool", [x], { ...windowAttributes(spec), count_include_pad: 1 });
    case "flatten":
    case "reshape":
      return reshaped(graph, x, inShape, outShape);
  }
}

const weights = ({ bias }: { readonly bias: boolean }, tensor: (name: string) => Value): Value[] =>
  (bias ? ["weight", "bias"] : ["weight"]).map(tensor);

/** Padding is as much before each axis as behind it. */
function windowAttributes({ kernel, stride, padding }: Conv2d | Pool) {
  return { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] };
}

/** The learned parameters of an op, in the order in which its layer has their tensors. */
function learnedOf(
  { tensors: specs }: Layer,
  { learned }: LayerSpec & { kind: "op" },
  tensors: Tensors,
): ReadonlyMap<string, Float32Array> {
  return new Map(learned.map(({ param }, i) => [param, tensors.get(specs[i]!.name)!]));
}
