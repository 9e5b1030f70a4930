/** @file The messages of ONNX (onnx/onnx.proto3) that a model is made of. Numbers are those of their fields. */
import { bytes, type Encoded, float, int, join, message, text } from "./protobuf.ts";

export type Attribute = number | readonly number[] | { readonly float: number };

export interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers, lists of them, and floats. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** An input or an output of the graph: float32, with any number of rows. */
export interface Port {
  readonly name: string;
  /** Of one row. */
  readonly shape: readonly number[];
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly input: Port;
  readonly output: Port;
}

/** With opset 17 came LayerNormalization; IR version 8 is that of its release, ONNX 1.12. */
export const OPSET = 17;
const IR_VERSION = 8;
/** TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;
/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, ints: 7 } as const;

/** A ModelProto. */
export function encodeModel(graph: Graph, producer: string, metadata: ReadonlyMap<string, string>): Encoded {
  return join([
    int(1, IR_VERSION),
    text(2, producer),
    message(7, ...encodeGraph(graph)),
    message(8, text(1, ""), int(2, OPSET)),
    ...[...metadata].map(([key, value]) => message(14, text(1, key), text(2, value))),
  ]);
}

function encodeGraph({ name, nodes, initializers, input, output }: Graph): Encoded[] {
  return [
    ...nodes.map((node) => message(1, ...encodeNode(node))),
    text(2, name),
    ...initializers.map((tensor) => message(5, ...encodeTensor(tensor))),
    message(11, ...encodePort(input)),
    message(12, ...encodePort(output)),
  ];
}

function encodeNode({ type, inputs, output, attributes }: Node): Encoded[] {
  return [
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, type),
    ...Object.entries(attributes).map(([name, value]) => message(5, text(1, name), ...encodeValue(value))),
  ];
}

function encodeValue(value: Attribute): Encoded[] {
  if (typeof value === "number") return [int(3, value), int(20, ATTRIBUTE.int)];
  if ("float" in value) return [float(2, value.float), int(20, ATTRIBUTE.float)];
  return [...value.map((each) => int(8, each)), int(20, ATTRIBUTE.ints)];
}

function encodeTensor({ name, shape, values }: Initializer): Encoded[] {
  const { buffer, byteOffset, byteLength } = values;
  return [
    ...shape.map((length) => int(1, length)),
    int(2, values instanceof Float32Array ? FLOAT : INT64),
    text(8, name),
    // The machine's own order of bytes is little-endian, as raw_data wants it.
    bytes(9, new Uint8Array(buffer, byteOffset, byteLength)),
  ];
}

function encodePort({ name, shape }: Port): Encoded[] {
  const lengths = shape.map((length) => message(1, int(1, length)));
  const dimensions = message(2, message(1, text(2, "rows")), ...lengths);
  return [text(1, name), message(2, message(1, int(1, FLOAT), dimensions))];
}
