/** @file Record batches whose metadata lies: each lie is an error, and none makes a wrong range. */
import { describe, expect, test } from "vitest";
import { CorruptError, TruncatedError } from "../../../src/errors.ts";
import { openLayout } from "../../../src/formats/detect.ts";
import type { Step } from "../../../src/formats/layout.ts";
import { fixture } from "../../support/fixtures.ts";
import { findMessages, lie } from "../../support/lies.ts";
import { walkBytes } from "../../support/walk.ts";

// Two columns, `id: int32` and `t: fixed_size_list<float32>[3]`, of two rows. Nodes: id, t, values. Buffers: validity and
// values of id; validity of t; validity and values of the values.
const small = fixture("small.arrows");
const { at, bodyLength, offset, lead } = findMessages(small)[1]!;
const VALUES = at.buffers[4]!;
const bodyOffsetOfValues = Number(new DataView(small.buffer).getBigInt64(VALUES, true));

function expectCorrupt(message: string | RegExp, ...changes: Parameters<typeof lie>[1][]): void {
  const bytes = lie(small, ...changes);
  for (const random of [true, false]) {
    const run = () => walkBytes(bytes, { random });
    expect(run).toThrow(CorruptError);
    expect(run).toThrow(message);
    expect(run).toThrow(`(batch 0, byte ${offset})`);
  }
}

describe("lengths and offsets that lie are errors with batch and byte offset", () => {
  test("a negative length of the batch, a node, a buffer", () => {
    expectCorrupt("The length of the batch is -1", [at.rows, -1]);
    expectCorrupt("The length of a column is -3", [at.nodes[2]!, -3]);
    expectCorrupt("Buffer 1 of the record batch (-8 bytes at 0)", [at.buffers[1]! + 8, -8]);
  });

  test("a negative offset of a buffer", () => {
    expectCorrupt("Buffer 4 of the record batch (24 bytes at -8)", [VALUES, -8]);
  });

  test("a buffer beyond the body", () => {
    expectCorrupt("is not within its body", [VALUES, bodyLength]);
    expectCorrupt("is not within its body", [VALUES + 8, bodyLength]);
    expectCorrupt("is not within its body", [at.buffers[0]!, bodyLength + 8]);
  });

  test("numbers beyond 2^53", () => {
    for (const huge of [2n ** 53n, 2n ** 62n, -(2n ** 53n) - 1n, -(2n ** 63n)]) {
      expectCorrupt(/beyond 2\^53|length|within/, [at.rows, huge]);
      expectCorrupt(/beyond 2\^53|length|within/, [VALUES, huge]);
      expectCorrupt(/beyond 2\^53|length|within/, [at.nodes[2]!, huge]);
    }
  });

  test("more elements than the buffer holds", () => {
    expectCorrupt("A values buffer of 24 bytes is too short for its 7 elements", [at.nodes[2]!, 7]);
    expectCorrupt("A values buffer of 20 bytes is too short for its 6 elements", [VALUES + 8, 20]);
  });

  test("a fixed_size_list with fewer values than its rows need", () => {
    expectCorrupt("has 5 slots; 2 × 3 are needed", [at.nodes[2]!, 5]);
  });

  test("columns of another length than the batch", () => {
    expectCorrupt("A column of the record batch has 2 rows, the batch 3", [at.rows, 3]);
    expectCorrupt("A column of the record batch has 1 rows, the batch 2", [at.nodes[0]!, 1]);
  });

  test("too few or too many nodes or buffers for the schema", () => {
    expectCorrupt("has 2 nodes; its schema needs 3", [at.nodeCount, 2, "int32"]);
    expectCorrupt("has 4 buffers; its schema needs 5", [at.bufferCount, 4, "int32"]);
    expectCorrupt(/nodes|points outside/, [at.nodeCount, 2 ** 28, "int32"]);
    expectCorrupt(/points outside/, [at.bufferCount, -1, "int32"]);
  });

  test("counts of view buffers that are negative, too large or wrong", () => {
    const leaves = fixture("leaves.arrows");
    const [, batch] = findMessages(leaves);
    const [first, second] = batch!.at.viewCounts;
    for (const count of [-1, 2n ** 40n, 5]) {
      expect(() => walkBytes(lie(leaves, [first!, count]))).toThrow(CorruptError);
      expect(() => walkBytes(lie(leaves, [second!, count]))).toThrow(CorruptError);
    }
  });
});

describe("elements that another buffer claims are an error", () => {
  test("wholly, by the values of a column that is not computed", () => {
    expectCorrupt("overlaps the elements", [at.buffers[1]!, bodyOffsetOfValues]);
  });

  test("in part", () => {
    expectCorrupt("overlaps the elements", [VALUES, bodyOffsetOfValues - 4]);
  });

  test("by another tensor", () => {
    const leaves = fixture("leaves.arrows");
    const [, batch] = findMessages(leaves);
    const buffers = batch!.at.buffers;
    const last = buffers.at(-1)!;
    const first = walkBytes(leaves).elements[0]!.offset - batch!.offset - batch!.lead;
    const run = () => walkBytes(lie(leaves, [last, first]));
    expect(run).toThrow(CorruptError);
    expect(run).toThrow(/share elements|overlaps the elements/);
  });

  test("but not by an empty buffer, nor by one right behind", () => {
    const inside = lie(small, [at.buffers[0]!, bodyOffsetOfValues + 4]);
    expect(walkBytes(inside).elements.length).toBe(1);
  });

  test("and buffers in any order are walked in the order of the body", () => {
    // The values of `t` before those of `id`, which move behind them.
    const swapped = lie(small, [VALUES, 0], [at.buffers[1]!, 24]);
    const { elements } = walkBytes(swapped);
    expect(elements.map((range) => range.offset)).toEqual([offset + lead]);
  });
});

describe("an unaligned element range is allowed", () => {
  test("as some writers pack their buffers", () => {
    const packed = lie(small, [VALUES, bodyOffsetOfValues - 5], [at.buffers[1]! + 8, bodyOffsetOfValues - 5]);
    expect(walkBytes(packed).elements[0]!.offset).toBe(offset + lead + bodyOffsetOfValues - 5);
  });
});

describe("the body's length", () => {
  test("must not be negative", () => {
    expect(() => walkBytes(lie(small, [at.bodyLength, -8]))).toThrow("The length of a message's body is -8");
  });

  test("beyond the input is known at once where the size is known", () => {
    const bytes = lie(small, [at.bodyLength, 10 ** 15]);
    expect(() => walkBytes(bytes)).toThrow(TruncatedError);
    expect(() => walkBytes(bytes)).toThrow("The input ends inside the body of a message");
    expect(() => walkBytes(bytes, { random: false })).toThrow(TruncatedError);
  });
});

test("a batch of 12 GB is only arithmetic", () => {
  const elements = 3_000_000_000;
  const bytes = lie(
    small,
    [at.rows, elements / 3],
    [at.nodes[0]!, elements / 3],
    [at.nodes[1]!, elements / 3],
    [at.nodes[2]!, elements],
    [at.bodyLength, bodyOffsetOfValues + elements * 4],
    [VALUES + 8, elements * 4],
  );
  const steps: Step[] = [];
  const layout = openLayout("arrows", { random: false });
  let position = 0;
  for (let next = layout.next(new Uint8Array(0)); !next.done; ) {
    const step = next.value;
    if (step.step !== "peek") steps.push(step);
    if (step.step === "keep") position += step.length;
    if (step.step === "batch") break;
    next = layout.next(
      step.step === "peek" ? bytes.subarray(position, position + step.length) : new Uint8Array(0),
    );
  }
  expect(steps.filter(({ step }) => step !== "schema")).toEqual([
    { step: "keep", length: offset },
    { step: "keep", length: lead + bodyOffsetOfValues },
    { step: "elements", tensor: 0, count: elements, first: 0 },
    { step: "batch", rows: elements / 3 },
  ]);
});
