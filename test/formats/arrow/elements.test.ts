/** @file Which bytes are elements: checked against PyArrow and apache-arrow, each of which finds the values by itself. */
import { type Data, RecordBatchReader, type Vector } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { BYTES_PER_ELEMENT } from "../../../src/ops/dtype.ts";
import { expectedRanges, fixture } from "../../support/fixtures.ts";
import { negate, type Walked, walkBytes } from "../../support/walk.ts";
import { batchOf, everyColumn, write } from "../../support/written.ts";

/** Columns whose name means more than one thing. */
const AMBIGUOUS = { "names.arrow": ["d", "x.y"] } as Record<string, string[]>;

describe("PyArrow and Sluice find the same elements", () => {
  for (const [name, batches] of Object.entries(expectedRanges())) {
    const columns = [...new Set(batches.flatMap((batch) => Object.keys(batch)))].filter(
      (column) => !AMBIGUOUS[name]?.includes(column),
    );
    const expected = batches.flatMap((batch) =>
      columns.flatMap((column) => batch[column]!.map(([offset, count]) => ({ column, offset, count }))),
    );
    for (const random of [true, false]) {
      test(`${name} ${random ? "as a file" : "from a pipe"}`, () => {
        const walked = walkBytes(fixture(name), { columns, random });
        const found = walked.elements.map(({ column, offset, count }) => ({
          column: column.name,
          offset,
          count,
        }));
        expect(sorted(found)).toEqual(sorted(expected.filter(({ count }) => count > 0)));
        expect(walked.batches.length).toBe(batches.length);
      });
    }
  }

  test("names.arrow: by default both columns of one name, and the top-level column of a name with a dot", () => {
    const [batch] = expectedRanges()["names.arrow"]!;
    const walked = walkBytes(fixture("names.arrow"));
    expect(walked.elements.map(({ column, offset }) => [column.name, offset])).toEqual([
      ["x.y", batch!["x.y"]![1]![0]],
      ["d", batch!.d![0]![0]],
      ["d", batch!.d![1]![0]],
    ]);
  });
});

describe("apache-arrow and Sluice find the same elements", () => {
  const batch = batchOf(everyColumn());
  for (const kind of ["stream", "file"] as const) {
    for (const column of [
      "half",
      "float",
      "double",
      "tensor",
      "list",
      "nested",
      "lists_of_pairs",
      "struct.t",
      "last",
    ]) {
      test(`${column} in a ${kind} of every kind of column`, () => {
        const bytes = write(kind, batch, batch);
        const walked = walkBytes(bytes, { columns: [column] });
        const batches = [...RecordBatchReader.from(bytes)];
        const expected = batches.map((read) => {
          const { values, length } = leafOf(read.getChild(column.split(".")[0]!)!, column);
          return { offset: values.byteOffset - bytes.byteOffset, count: length, buffer: values.buffer };
        });
        for (const { buffer } of expected) expect(buffer).toBe(bytes.buffer);
        expect(walked.elements.map(({ offset, count, first }) => ({ offset, count, first }))).toEqual(
          expected.map(({ offset, count }) => ({ offset, count, first: 0 })),
        );
      });
    }
  }
});

describe("what is not an element stays as it is", () => {
  const batch = batchOf(everyColumn());
  const inputs: [string, Uint8Array][] = [
    ...Object.keys(expectedRanges()).map((name): [string, Uint8Array] => [name, fixture(name)]),
    ["a stream by apache-arrow", write("stream", batch, batch)],
    ["a file by apache-arrow", write("file", batch, batch)],
  ];
  for (const [name, input] of inputs) {
    test(name, () => {
      const columns = name.startsWith("zero_columns") ? [] : name === "plain.arrow" ? ["a", "b"] : undefined;
      const walked = walkBytes(input, { columns });
      expectOnlyElementsChanged(input, walked);
      expect(walked.steps).not.toContain("emit");
      expect(walked.steps).not.toContain("drop");
    });
  }
});

/** Every element is negated in the output, and every other byte equal. */
function expectOnlyElementsChanged(input: Uint8Array, { output, elements }: Walked): void {
  const expected = new Uint8Array(input);
  for (const { column, offset, count } of elements) {
    const end = offset + count * BYTES_PER_ELEMENT[column.dtype];
    negate(expected.subarray(offset, end), column);
  }
  expect(Buffer.compare(output, expected)).toBe(0);
}

/** The innermost data of a column in a batch; through `struct.t`, that child. */
function leafOf(vector: Vector, column: string): Data {
  let data = vector.data[0]! as Data;
  if (column === "struct.t") data = data.children[1]!;
  while (data.children.length > 0) data = data.children[0]!;
  return data;
}

function sorted<T extends { offset: number }>(ranges: readonly T[]): T[] {
  return [...ranges].sort((a, b) => a.offset - b.offset);
}
