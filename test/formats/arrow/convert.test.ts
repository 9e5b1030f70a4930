/** @file File to stream and stream to file: the messages stay as they are, and apache-arrow reads the same values. */
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { UnsupportedError, UsageError } from "../../../src/errors.ts";
import { FlatBuffer } from "../../../src/formats/arrow/flatbuffer.ts";
import { openLayout } from "../../../src/formats/detect.ts";
import type { Format } from "../../../src/formats/layout.ts";
import { Place } from "../../../src/formats/place.ts";
import { fixture, fixtures } from "../../support/fixtures.ts";
import { findFooter, findMessages } from "../../support/lies.ts";
import { concat, walkBytes } from "../../support/walk.ts";
import { batchOf, everyColumn, write } from "../../support/written.ts";

/** Without computing anything. */
function convert(input: Uint8Array, to: Format, random = true): Uint8Array {
  return walkBytes(input, { to, random, columns: [] }).output;
}

/** All values, as text; dictionaries decoded. */
function contents(bytes: Uint8Array): string {
  const table = tableFromIPC(bytes);
  const columns = table.schema.fields.map((field, i) => [field.toString(), [...(table.getChildAt(i) ?? [])]]);
  return JSON.stringify([[...table.schema.metadata], columns], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

/** The messages of a stream or file without its ends: from the first to the last byte of them. */
function messages(bytes: Uint8Array): Uint8Array {
  const found = findMessages(bytes);
  const last = found.at(-1)!;
  return bytes.subarray(found[0]!.offset, last.offset + last.lead + last.bodyLength);
}

const UNREADABLE = ["nested", "legacy_nested", "lz4", "zstd", "experimental"];
const readable = (name: string) => !UNREADABLE.some((start) => name.startsWith(start));
const readableHere = fixtures(".arrow", ".arrows").filter(readable);

describe("apache-arrow reads the same from a file made of a stream", () => {
  for (const name of readableHere.filter((name) => name.endsWith(".arrows") && !name.includes("replaced"))) {
    test(name, () => {
      const stream = fixture(name);
      const file = convert(stream, "arrow");
      expect(contents(file)).toBe(contents(stream));
      expect(convert(stream, "arrow", false)).toEqual(file);
      expect(messages(file)).toEqual(messages(stream));
      // The footer lists what is there: a file from a pipe is verified against it.
      expect(walkBytes(file, { columns: [], random: false }).output).toEqual(file);
    });
  }
});

describe("apache-arrow reads the same from a stream made of a file", () => {
  for (const name of readableHere.filter((name) => name.endsWith(".arrow"))) {
    for (const random of [true, false]) {
      test(`${name}${random ? "" : " from a pipe"}`, () => {
        const stream = convert(fixture(name), "arrows", random);
        expect(contents(stream)).toBe(contents(fixture(name)));
      });
    }
  }
});

describe("there and back again, a file is the same but for its footer", () => {
  for (const name of fixtures(".arrow").filter((name) => name !== "dictionary_delta.arrow")) {
    test(name, () => {
      const file = fixture(name);
      const back = convert(convert(file, "arrows"), "arrow");
      const { start } = findFooter(file);
      expect(Buffer.compare(back.subarray(0, start), file.subarray(0, start))).toBe(0);
    });
  }

  test("and a stream is the same to the last byte", () => {
    for (const name of fixtures(".arrows").filter((name) => !/replaced|delta/.test(name))) {
      const back = convert(convert(fixture(name), "arrow"), "arrows");
      expect([name, Buffer.compare(back, fixture(name))]).toEqual([name, 0]);
    }
  });
});

describe("a file without a schema message gets one from its footer", () => {
  const batch = batchOf(everyColumn());
  const file = write("file", batch, batch);

  test("that apache-arrow reads", () => {
    const stream = convert(file, "arrows");
    expect(contents(stream)).toBe(contents(file));
    expect(contents(stream)).toContain("made by");
    expect(contents(convert(stream, "arrow"))).toBe(contents(file));
  });

  test("and elements are computed on the way", () => {
    const direct = walkBytes(file, { to: "arrows" });
    const later = walkBytes(convert(file, "arrows"));
    expect(direct.output).toEqual(later.output);
    expect(direct.elements.length).toBe(10);
  });

  test("with the footer's own metadata, which gets back into a footer", () => {
    const bytes = fixture("leaves.arrow");
    bytes.fill(0xee, 16, 64);
    const stream = convert(bytes, "arrows");
    const file = convert(stream, "arrow");
    const { start, lengthAt } = findFooter(file);
    expect(metadata(stream, 8, findMessages(stream)[0]!.lead)).toEqual({ footer: "kept" });
    expect(metadata(file, start, lengthAt)).toEqual({ footer: "kept" });
  });

  test("also where something else is at the schema's place", () => {
    const pyarrow = fixture("small.arrow");
    const bytes = new Uint8Array(pyarrow);
    bytes.fill(0xee, 16, 64);
    const stream = convert(bytes, "arrows");
    expect(contents(stream)).toBe(contents(pyarrow));
  });
});

describe("dictionaries", () => {
  test("come first in a stream made of a file, deltas too, wherever they are in the file", () => {
    const stream = convert(fixture("dictionary_delta.arrow"), "arrows");
    expect(findMessages(stream).map(({ type }) => type)).toEqual([1, 2, 2, 2, 3, 3]);
  });

  test("that come only after record batches cannot be put in a stream from a pipe", () => {
    const file = fixture("dictionary.arrow");
    const found = findMessages(file);
    const part = (type: number) =>
      found.filter((message) => message.type === type).map((message) => slice(file, message));
    const { start } = findFooter(file);
    const late = concat([file.subarray(0, 8), ...part(1), ...part(3), ...part(2), file.subarray(start)]);
    const run = () => convert(late, "arrows", false);
    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow(/Dictionary \d comes after record batches/);
  });

  test("that are replaced cannot be put in a file", () => {
    const run = () => convert(fixture("dictionary_replaced.arrows"), "arrow");
    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow(/Dictionary 0 is replaced.*byte \d+/);
    expect(walkBytes(fixture("dictionary_replaced.arrows")).rows).toBe(6);
  });
});

describe("what a file cannot hold is an error", () => {
  const small = fixture("small.arrows");

  test("a second stream", () => {
    expect(() => convert(concat([small, small]), "arrow")).toThrow("A second stream follows");
  });

  test("but zero padding after the end is left out", () => {
    expect(convert(concat([small, new Uint8Array(16)]), "arrow")).toEqual(convert(small, "arrow"));
  });

  test("messages that are not aligned to 8 bytes", () => {
    const [schema, batch] = findMessages(small);
    const view = new DataView(small.slice().buffer);
    view.setInt32(4, schema!.lead - 8 + 4, true);
    const odd = concat([
      new Uint8Array(view.buffer).subarray(0, schema!.lead),
      new Uint8Array(4),
      small.subarray(batch!.offset),
    ]);
    expect(walkBytes(odd).rows).toBe(2);
    expect(() => convert(odd, "arrow")).toThrow("not aligned to 8 bytes");
  });
});

describe("other conversions", () => {
  for (const [from, to] of [
    ["arrow", "npy"],
    ["arrows", "npy"],
    ["npy", "arrow"],
    ["npy", "arrows"],
  ] as const) {
    test(`${from} to ${to} make no sense`, () => {
      expect(() => openLayout(from, { to, random: false })).toThrow(UsageError);
    });
  }
});

/** The custom metadata of a Message or a Footer, which both have in slot 4. */
function metadata(bytes: Uint8Array, start: number, end: number): Record<string, string> {
  const flat = new FlatBuffer(new Place()).open(bytes, start, end);
  const pairs = flat.fieldTables(flat.root(), 4);
  return Object.fromEntries(pairs.map((pair) => [flat.fieldString(pair, 0), flat.fieldString(pair, 1)]));
}

function slice(bytes: Uint8Array, { offset, lead, bodyLength }: ReturnType<typeof findMessages>[number]) {
  return bytes.subarray(offset, offset + lead + bodyLength);
}
