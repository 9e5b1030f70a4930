/** Random tables go through Sluice, and three must agree: the file that came out, the oracle, and apache-arrow's reader. */
import { Readable } from "node:stream";
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ElementArrays } from "../../src/ops/evaluate.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import { fuse } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import { transformBatches } from "../../src/pipeline/batches.ts";
import { createTransform } from "../../src/pipeline/duplex.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { arbitraryTable, leafValues, type RandomTable } from "../support/tables.ts";

const directory = temporaryDirectory();
const chain = fc.constantFrom(
  "leaky_relu(0.1)",
  "relu6 | add(-0.5)",
  "mul(3) | leaky_relu(-2) | neg",
  "threshold(0.5, -7)",
);

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function write({ schema, batches }: RandomTable, format: "stream" | "file"): Uint8Array {
  const writer =
    format === "stream" ? new arrow.RecordBatchStreamWriter() : new arrow.RecordBatchFileWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.close();
  return writer.toUint8Array(true);
}

/** Every value of every column as it must be, by the oracle and the batches that went in. */
function expectAgreement(
  { batches, tensors }: RandomTable,
  ops: string,
  result: readonly arrow.RecordBatch[],
): void {
  const program = fuse(parseChain(ops));
  // For an input without batches, apache-arrow's reader makes up an empty one.
  const rows = batches.length === 0 && result.length === 1 ? [0] : batches.map((batch) => batch.numRows);
  expect(result.map((batch) => batch.numRows)).toEqual(rows);
  for (const [i, batch] of batches.entries()) {
    for (const [column, { name }] of batch.schema.fields.entries()) {
      const [before, after] = [batch.data.children[column]!, result[i]!.data.children[column]!];
      const dtype = tensors.get(name);
      if (dtype === undefined) {
        expect(new arrow.Vector([after]).toJSON()).toEqual(new arrow.Vector([before]).toJSON());
        continue;
      }
      const expected = leafValues(before).slice();
      evaluate(program, dtype, expected as ElementArrays[typeof dtype]);
      const got = leafValues(after).subarray(0, expected.length);
      expect(Buffer.compare(asBytes(got), asBytes(expected))).toBe(0);
      for (let row = 0; row < batch.numRows; row++) expect(after.getValid(row)).toBe(before.getValid(row));
    }
  }
}

const asBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

describe("Sluice, the oracle and apache-arrow agree", () => {
  it("on a file", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTable, chain, fc.constantFrom("arrow", "arrows"), async (table, ops, to) => {
        const [input, output] = [
          directory.write("in.arrow", write(table, "file")),
          directory.path(`out.${to}`),
        ];
        await transform(input, output, { ops, overwrite: true });
        const read = arrow.RecordBatchReader.from(directory.read(`out.${to}`));
        expectAgreement(table, ops, [...read]);
      }),
      { numRuns: 60 },
    );
  });

  it("on a stream, in chunks of any size", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTable, chain, fc.integer({ min: 1, max: 5000 }), async (table, ops, size) => {
        const bytes = write(table, "stream");
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const output = await bytesOf(Readable.from(chunks).pipe(createTransform({ ops })));
        expect(output.length).toBe(bytes.length);
        expectAgreement(table, ops, [...arrow.RecordBatchReader.from(output)]);
      }),
      { numRuns: 60 },
    );
  });

  it("on record batches in memory, which stay as they were", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTable, chain, async (table, ops) => {
        const before = write(table, "stream");
        const result: arrow.RecordBatch[] = [];
        for await (const batch of transformBatches(table.batches, { ops })) result.push(batch);
        expectAgreement(table, ops, result);
        expect(Buffer.compare(write(table, "stream"), before)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
