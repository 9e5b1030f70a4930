/**
 * @file ONNX Runtime, one thread: a model of one node. A run takes its input from JavaScript memory and gives its output
 * back there, as an embedder would use it.
 *
 * The model is written by hand, as protocol buffers of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3):
 * a field is a varint of its number and wire type, then a varint, or a length and bytes.
 */
import * as ort from "onnxruntime-node";
import { makeInput, serve } from "./serve.mjs";

const number = (field, value) => [...varint(field * 8), ...varint(value)];
const bytes = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const text = (field, value) => bytes(field, [...Buffer.from(value)]);
function varint(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}
/** AttributeProto: name, type 3 (string), s. */
const attribute = (name, value) => bytes(5, [...text(1, name), ...number(20, 3), ...text(4, value)]);
const node = (type, inputs, output, ...attributes) =>
  bytes(1, [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(4, type),
    ...attributes.flat(),
  ]);
/** ValueInfoProto of float32 with a shape. */
const value = (field, name, shape) => {
  const dims = shape.flatMap((size) => bytes(1, number(1, size)));
  return bytes(field, [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, dims)]))]);
};

function model(nodes, shape) {
  const graph = [...nodes.flat(), ...text(2, "g"), ...value(11, "x", shape), ...value(12, "y", shape)];
  return Uint8Array.from([...number(1, 9), ...bytes(7, graph), ...bytes(8, number(2, 20))]);
}

const one = (type, ...attributes) => [node(type, ["x"], "y", ...attributes)];
const ops = {
  exp: one("Exp"),
  sigmoid: one("Sigmoid"),
  tanh: one("Tanh"),
  silu: [node("Sigmoid", ["x"], "s"), node("Mul", ["x", "s"], "y")],
  log: one("Log"),
  softplus: one("Softplus"),
  mish: one("Mish"),
  elu: one("Elu"),
  leaky_relu: one("LeakyRelu"),
  gelu_tanh: one("Gelu", attribute("approximate", "tanh")),
  gelu: one("Gelu"),
  softmax: one("Softmax"),
};

await serve(async (op, elements) => {
  const shape = op === "softmax" ? [elements / 1024, 1024] : [elements];
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 };
  const session = await ort.InferenceSession.create(model(ops[op], shape), options).catch(() => undefined);
  if (!session) return undefined;
  const x = new ort.Tensor("float32", makeInput(elements), shape);
  return () => session.run({ x });
});
