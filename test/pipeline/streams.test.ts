import { PassThrough, Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import * as arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import { OpSyntaxError } from "../../src/errors.ts";
import { createTransform, createWebTransform, transform, transformBatches } from "../../src/index.ts";
import { fixture } from "../support/fixtures.ts";

const type = new arrow.FixedSizeList(4, new arrow.Field("item", new arrow.Float32()));
const schema = new arrow.Schema([new arrow.Field("x", type)]);

function batchOf(rows: number, value: number): arrow.RecordBatch {
  const child = arrow.makeData({ type: new arrow.Float32(), data: new Float32Array(4 * rows).fill(value) });
  const children = [arrow.makeData({ type, length: rows, nullCount: 0, child })];
  return new arrow.RecordBatch(
    schema,
    arrow.makeData({ type: new arrow.Struct(schema.fields), length: rows, children }),
  );
}

function ipc(...batches: arrow.RecordBatch[]): Uint8Array {
  return arrow.RecordBatchStreamWriter.writeAll(batches).toUint8Array(true);
}

function valuesOf(bytes: Uint8Array): number[] {
  return [...arrow.RecordBatchReader.from(bytes)].map((batch) => batch.getChildAt(0)!.get(0).get(0));
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it("transform tells once of a column, though every stream of several in a row has it", async () => {
  const bytes = fixture("nested.arrows");
  const told = async (...chunks: Uint8Array[]) => {
    const { columns, skipped } = await transform(Readable.from(chunks), new PassThrough().resume(), {
      ops: "relu",
    });
    return { columns, skipped };
  };
  const once = await told(bytes);
  expect(once.skipped).not.toEqual([]);
  expect(await told(bytes, bytes, bytes)).toEqual(once);
});

describe("createTransform", () => {
  it("refuses ops that cannot be understood at once, before any byte", () => {
    expect(() => createTransform({ ops: "leaky_relu(" })).toThrow(OpSyntaxError);
  });

  it("sends a batch on when the stream pauses after it, and does not wait for more", async () => {
    const stream = createTransform({ ops: "mul(2)" });
    const [whole, one] = [ipc(batchOf(1, 1), batchOf(1, 2)), ipc(batchOf(1, 1))];
    // All of the first batch, without the 8 bytes that end a stream.
    const first = one.length - 8;
    stream.write(whole.subarray(0, first));
    let received = Buffer.alloc(0);
    while (received.length < first) {
      const chunk = stream.read();
      if (chunk) received = Buffer.concat([received, chunk]);
      else await new Promise((resolve) => stream.once("readable", resolve));
    }
    expect(valuesOf(received)).toEqual([2]);
    stream.end(whole.subarray(first));
    expect(valuesOf(Buffer.concat([received, await collect(stream)]))).toEqual([2, 4]);
  });

  it("computes every stream of several in a row", async () => {
    const bytes = Buffer.concat([ipc(batchOf(2, 1)), ipc(batchOf(3, 5))]);
    const output = await collect(Readable.from([bytes]).pipe(createTransform({ ops: "neg" })));
    const first = ipc(batchOf(2, 1)).length;
    expect(output.length).toBe(bytes.length);
    expect(valuesOf(output.subarray(0, first))).toEqual([-1]);
    expect(valuesOf(output.subarray(first))).toEqual([-5]);
  });

  it("tells its progress", async () => {
    const seen: number[] = [];
    const bytes = ipc(batchOf(7, 1), batchOf(8, 1));
    const options = { ops: "relu", onProgress: ({ rows }: { rows: number }) => void seen.push(rows) };
    await collect(Readable.from([bytes]).pipe(createTransform(options)));
    expect(seen.at(-1)).toBe(15);
  });
});

describe("createWebTransform", () => {
  it("is the same between web streams", async () => {
    const bytes = ipc(batchOf(2, -1), batchOf(3, 5));
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 100) controller.enqueue(bytes.subarray(at, at + 100));
        controller.close();
      },
    });
    const output = await collect(source.pipeThrough(createWebTransform({ ops: "leaky_relu(0.5)" })));
    expect(valuesOf(output)).toEqual([-0.5, 5]);
  });
});

describe("transformBatches", () => {
  it("shares the columns that are not computed, and keeps what the batch carries", async () => {
    const other = arrow.vectorFromArray(["a", "b"], new arrow.Utf8());
    const fields = [new arrow.Field("x", type), new arrow.Field("name", new arrow.Utf8())];
    const wide = new arrow.Schema(fields, new Map([["made", "here"]]));
    const children = [batchOf(2, -4).data.children[0]!, other.data[0]!];
    const data = arrow.makeData({ type: new arrow.Struct(fields), length: 2, children });
    const batch = new arrow.RecordBatch(wide, data);
    const { value: result } = await transformBatches([batch], { ops: "leaky_relu(0.5)" }).next();
    expect(result!.schema.metadata.get("made")).toBe("here");
    expect(result!.getChild("x")!.get(1).toJSON()).toEqual([-2, -2, -2, -2]);
    expect(result!.getChild("name")!.data[0]!.values).toBe(other.data[0]!.values);
    expect(batch.getChild("x")!.get(1).toJSON()).toEqual([-4, -4, -4, -4]);
  });

  it("computes a slice of a batch, per-channel slopes in step", async () => {
    const batch = batchOf(10, -1).slice(3, 7);
    for await (const result of transformBatches([batch], { ops: "prelu([1, 2, 3, 4])" })) {
      expect(result.numRows).toBe(4);
      expect(result.getChildAt(0)!.get(3).toJSON()).toEqual([-1, -2, -3, -4]);
    }
  });

  it("asks for a batch only when one is asked of it", async () => {
    let given = 0;
    function* endless(): Generator<arrow.RecordBatch> {
      for (;;) {
        given++;
        yield batchOf(1, given);
      }
    }
    for await (const batch of transformBatches(endless(), { ops: "relu" })) {
      expect(batch.getChildAt(0)!.get(0).get(0)).toBe(given);
      if (given === 5) break;
    }
    expect(given).toBe(5);
  });
});
