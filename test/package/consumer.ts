/** @file A project of somebody else that uses the package; `check.sh` compiles and runs it outside of the checkout. */
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { tableFromArrays } from "apache-arrow";
import {
  add,
  createTransform,
  createWebTransform,
  defineOp,
  type EagerOp,
  type Inspection,
  inspect,
  LeakyReLU,
  leakyRelu,
  mul,
  type Progress,
  SluiceError,
  type TransformResult,
  tf,
  transform,
  transformBatches,
} from "sluice";

function expect(condition: boolean, claim: string): void {
  if (!condition) throw new Error(`not so: ${claim}`);
}

const seen: Progress[] = [];
const result: TransformResult = await transform("in.npy", "again.npy", {
  ops: "leaky_relu(alpha=0.5)",
  onProgress: (progress) => seen.push(progress),
});
expect(result.elements === 3 && seen.length > 0, "transform tells what it did");
expect(result.device === "cpu" && result.deviceReason !== undefined, "and on what, and why");
expect(readFileSync("again.npy").equals(readFileSync("out.npy")), "the API does what the command does");

await pipeline(createReadStream("in.npy"), createTransform({ ops: "relu" }), createWriteStream("piped.npy"));
expect(readFileSync("piped.npy").length === readFileSync("in.npy").length, "a stream passes through");
const { readable, writable } = createWebTransform({ ops: "relu" });
void writable.abort().catch(() => {});
void readable.cancel().catch(() => {});

const found: Inspection = await inspect("in.npy");
expect(found.tensors[0]?.elements === 3, "inspect counts the elements");

const double: EagerOp<"by"> = defineOp("double_it", { by: 2 }, (x, { by }) => add(mul(by, x), 0));
expect(double(Float32Array.of(1), { by: 3 })[0] === 3, "an op of one's own is a function");
expect(leakyRelu(Float64Array.of(-1), { alpha: 0.5 })[0] === -0.5, "leakyRelu takes float64");
expect(tf.leakyRelu(Float64Array.of(-1))[0] === -0.2, "TensorFlow's default is 0.2");
expect(new LeakyReLU().forward(Float64Array.of(-1))[0] === -0.01, "PyTorch's default is 0.01");

const table = tableFromArrays({ price: Float32Array.of(-1, 2) });
for await (const batch of transformBatches(table.batches, { ops: "relu", columns: ["price"] })) {
  expect(batch.getChild("price")?.get(0) === 0, "record batches go through");
}

try {
  await transform("in.npy", "again.npy", { ops: "relu" });
  expect(false, "an output that exists is not replaced");
} catch (error) {
  expect(
    error instanceof SluiceError && error.code === "ERR_OUTPUT_EXISTS",
    "errors have their class and code",
  );
}
