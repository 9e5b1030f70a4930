/** @file ONNX files are well formed: the wire format, names that are known before they are used, the operators meant. */
import { describe, expect, it } from "vitest";
import { UnsupportedError } from "../../src/errors.ts";
import { defineOp } from "../../src/index.ts";
import { pow2, x } from "../../src/ops/expr.ts";
import { allOps, bind } from "../../src/ops/op.ts";
import { graphOf } from "../../src/train/files/onnx/layers.ts";
import { encodeModel, type Graph } from "../../src/train/files/onnx/proto.ts";
import { float, int, join, message, text } from "../../src/train/files/onnx/protobuf.ts";
import { activation } from "../../src/train/layers.ts";
import { buildNetwork } from "../../src/train/network.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { EVERY_LAYER, EVERY_LAYER_INPUT, modelOf } from "../support/models.ts";

const directory = temporaryDirectory();

const bytesOf = ({ parts }: { readonly parts: readonly Uint8Array[] }): Buffer => Buffer.concat(parts);
const hex = (encoded: Parameters<typeof bytesOf>[0]): string => bytesOf(encoded).toString("hex");

describe("protocol buffers", () => {
  // From protobuf.dev/programming-guides/encoding.
  it("have varints, texts and messages as the guide has them", () => {
    expect(hex(int(1, 150))).toBe("089601");
    expect(hex(text(2, "testing"))).toBe("120774657374696e67");
    expect(hex(message(3, int(1, 150)))).toBe("1a03089601");
    expect(hex(int(1, -2))).toBe("08feffffffffffffffff01");
    expect(hex(int(16, 0))).toBe("800100");
    expect(hex(float(2, 1))).toBe("150000803f");
    expect(join([int(1, 1), int(2, 2)]).length).toBe(4);
  });
});

const graph = (layers: string, shape: readonly number[]): Graph => {
  const { network, tensors } = modelOf(layers, shape);
  return graphOf(network, tensors);
};
const typesOf = ({ nodes }: Graph): string[] => nodes.map(({ type }) => type);

/** Every value is known before it is used, has one name, and the output is one of them. */
function expectWellFormed({ nodes, initializers, input, output }: Graph): void {
  const known = new Set([input.name, ...initializers.map(({ name }) => name)]);
  expect(known.size).toBe(1 + initializers.length);
  for (const node of nodes) {
    for (const name of node.inputs) expect(known.has(name), `${node.output} reads ${name}`).toBe(true);
    expect(known.has(node.output)).toBe(false);
    known.add(node.output);
  }
  expect(nodes.at(-1)?.output).toBe(output.name);
}

describe("a network in ONNX", () => {
  it("has a node for each layer, but for dropout", () => {
    expect(typesOf(graph("dense(8) | leaky_relu(0.1) | dropout(0.5) | dense(3)", [5]))).toEqual([
      ...["Gemm", "LeakyRelu", "Gemm"],
    ]);
    const types = typesOf(graph(EVERY_LAYER, EVERY_LAYER_INPUT));
    for (const type of [
      "Conv",
      "BatchNormalization",
      "PRelu",
      "MaxPool",
      "AveragePool",
      "LayerNormalization",
    ]) {
      expect(types).toContain(type);
    }
  });

  it("reshapes where a layer takes its rows otherwise", () => {
    expect(typesOf(graph("dense(3)", [2, 2]))).toEqual(["Flatten", "Gemm"]);
    expect(typesOf(graph("conv2d(2, 2)", [3, 3]))).toEqual(["Reshape", "Conv"]);
    expect(typesOf(graph("reshape(2, 2) | flatten", [4]))).toEqual(["Reshape", "Flatten"]);
  });

  it("has an output even where no layer computes", () => {
    expect(typesOf(graph("dropout(0.5)", [2]))).toEqual(["Identity"]);
  });

  it("is well formed, with every kind of layer", () => {
    const made = graph(EVERY_LAYER, EVERY_LAYER_INPUT);
    expectWellFormed(made);
    expect([made.input.shape, made.output.shape]).toEqual([[6, 6], [4]]);
  });

  it.each(allOps().map((op) => [op.name, op] as const))("has %s", (_, op) => {
    const needed = op.params.filter((param) => param.default === undefined);
    const bound = bind(op, Object.fromEntries(needed.map(({ name }, i) => [name, i + 1])));
    const network = buildNetwork([activation(bound)], [3]);
    expectWellFormed(graphOf(network, new Map()));
  });

  it("has ops of a user, constants and sums over rows included", () => {
    defineOp("onnx_kink", { slope: 0.5 }, (of, { slope }) => ({
      kind: "binary",
      fn: "mul",
      a: slope,
      b: of,
    }));
    defineOp("onnx_constant", {}, () => 3);
    defineOp("onnx_row_sum", {}, (of) => ({ kind: "reduce", fn: "sum", x: of }));
    expect(typesOf(graph("onnx_kink(2)", [3]))).toEqual(["Mul"]);
    // Its value is one for all elements, but the output has as many as came in.
    expect(typesOf(graph("onnx_constant", [3]))).toEqual(["Shape", "Expand"]);
    expect(typesOf(graph("onnx_row_sum", [3]))).toEqual(["ReduceSum", "Shape", "Expand"]);
  });

  it("is refused where ONNX has no words for an op", () => {
    defineOp("onnx_bits", {}, () => pow2(x));
    expect(() => graph("onnx_bits", [3])).toThrow(UnsupportedError);
  });

  it("is a file that begins with the version, and holds the weights as they are", async () => {
    const model = modelOf("dense(40)", [60]);
    await model.saveOnnx(directory.path("model.onnx"));
    const bytes = directory.read("model.onnx");
    expect(bytes.subarray(0, 2).toString("hex")).toBe("0808");
    const { buffer, byteOffset, byteLength } = model.tensors.get("0.weight")!;
    expect(bytes.includes(Buffer.from(buffer, byteOffset, byteLength))).toBe(true);
    const { parts, length } = encodeModel(graph("dense(40)", [60]), "sluice", new Map());
    expect(Buffer.concat(parts).length).toBe(length);
  });
});
