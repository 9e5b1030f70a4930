/** @file The Arrow file format: the footer is followed, checked, and from a pipe verified. */
import { describe, expect, test } from "vitest";
import { CorruptError, TruncatedError, UnsupportedError, UsageError } from "../../../src/errors.ts";
import { openLayout } from "../../../src/formats/detect.ts";
import { fixture } from "../../support/fixtures.ts";
import { findFooter, findMessages, lie } from "../../support/lies.ts";
import { concat, walkBytes } from "../../support/walk.ts";
import { batchOf, everyColumn, write } from "../../support/written.ts";

// Three batches of 0, 2 and 0 rows; and two batches behind a dictionary with a delta.
const file = fixture("zero_rows.arrow");
const footer = findFooter(file);
const delta = fixture("dictionary_delta.arrow");
const walkFile = (bytes: Uint8Array, random = true) => walkBytes(bytes, { format: "arrow", random });

describe("a file without a schema message at its start, as apache-arrow writes it", () => {
  const bytes = write("file", batchOf(everyColumn()));

  test("is walked by its footer", () => expect(walkFile(bytes).rows).toBe(3));

  test("is refused from a pipe, with the way round", () => {
    const run = () => walkFile(bytes, false);
    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow("no schema message at its start");
  });
});

describe("a footer that lies is an error with a byte offset", () => {
  const [, second] = footer.batches;
  const cases: [string, string | RegExp, Parameters<typeof lie>[1][]][] = [
    ["a block over the magic", "The footer places record batch 0 at byte 0", [[footer.batches[0]!, 0]]],
    ["a block before the file", "The footer places record batch 0 at byte -8", [[footer.batches[0]!, -8]]],
    ["a block beyond the file", "where it does not fit", [[second!, file.length]]],
    ["a block far beyond", "where it does not fit", [[second!, 2n ** 60n]]],
    ["a body that reaches into the footer", "where it does not fit", [[footer.batches[2]! + 16, 4096]]],
    ["a body that reaches into the next block", "over what is before it", [[footer.batches[0]! + 16, 8]]],
    ["a negative body", "a body of -8", [[second! + 16, -8]]],
    ["negative metadata", "-8 bytes of metadata", [[second! + 8, -8, "int32"]]],
    ["too short metadata", "The metadata of a message has", [[second! + 8, 16, "int32"]]],
    [
      "a body of another length than the message's",
      /The body of a message has \d+ bytes; the footer says 8/,
      [[footer.batches[1]! + 16, 8]],
    ],
    ["a block at no message", /./, [[second!, 16]]],
    ["a length of 0", "The footer's length is 0", [[footer.lengthAt, 0, "int32"]]],
    ["a negative length", "The footer's length is -5", [[footer.lengthAt, -5, "int32"]]],
    ["a length beyond the file", "The footer's length is 100000", [[footer.lengthAt, 100_000, "int32"]]],
  ];
  for (const [what, message, changes] of cases) {
    test(what, () => {
      const run = () => walkFile(lie(file, ...changes));
      expect(run).toThrow(CorruptError);
      expect(run).toThrow(message);
      expect(run).toThrow(/byte \d+/);
    });

    test(`${what}, from a pipe`, () =>
      expect(() => walkFile(lie(file, ...changes), false)).toThrow(CorruptError));
  }

  test("two blocks at one place", () => {
    const at = Number(new DataView(file.buffer).getBigInt64(footer.batches[0]!, true));
    expect(() => walkFile(lie(file, [footer.batches[2]!, at]))).toThrow("over what is before it");
  });

  test("a dictionary where a record batch is", () => {
    const { dictionaries, batches } = findFooter(delta);
    const bytes = new Uint8Array(delta);
    bytes.copyWithin(dictionaries[0]!, batches[0]!, batches[0]! + 24);
    bytes.set(delta.subarray(dictionaries[0]!, dictionaries[0]! + 24), batches[0]!);
    expect(() => walkFile(bytes)).toThrow(/lists a message of type/);
    expect(() => walkFile(bytes, false)).toThrow(CorruptError);
  });
});

describe("a file must begin and end with its magic", () => {
  test("at the end", () => {
    const open = new Uint8Array(file);
    open[file.length - 1] = 0x32;
    expect(() => walkFile(open)).toThrow(TruncatedError);
    expect(() => walkFile(open)).toThrow("does not end with ARROW1");
    expect(() => walkFile(open, false)).toThrow(TruncatedError);
  });

  test("at the start", () => {
    const other = new Uint8Array(file);
    other[0] = 0x42;
    expect(() => walkFile(other)).toThrow(CorruptError);
    expect(() => walkFile(other, false)).toThrow(CorruptError);
  });

  test("with something between", () => {
    expect(() => walkFile(file.subarray(0, 8))).toThrow(TruncatedError);
    expect(() => walkFile(concat([file.subarray(0, 8), file.subarray(file.length - 10)]))).toThrow(
      CorruptError,
    );
  });
});

test("without its size a file cannot be read at any offset", () => {
  const layout = openLayout("arrow", { random: true });
  expect(() => layout.next(new Uint8Array(0))).toThrow(UsageError);
});

describe("what the footer does not list", () => {
  test("is kept between blocks, but not understood from a pipe", () => {
    const at = findMessages(file)[2]!.offset;
    const garbage = new TextEncoder().encode("nothing to see..");
    const moved = lie(
      file,
      ...footer.batches.slice(1).map((position): [number, bigint] => [position, offsetAt(position) + 16n]),
    );
    const bytes = concat([moved.subarray(0, at), garbage, moved.subarray(at)]);
    const walked = walkFile(bytes);
    expect(walked.batches).toEqual([0, 2, 0]);
    expect(walked.output.length).toBe(bytes.length);
    expect(() => walkFile(bytes, false)).toThrow(CorruptError);
  });

  test("is not computed, and from a pipe refused, if it is a record batch", () => {
    const bytes = lie(file, [footer.batchCount, 1, "int32"]);
    expect(walkFile(bytes).elements).toEqual([]);
    expect(() => walkFile(bytes, false)).toThrow("does not list the record batches");
  });

  test("has another schema than the file's first message, from a pipe", () => {
    const bytes = Buffer.from(file);
    bytes[bytes.lastIndexOf("id")] = 0x6a;
    expect(walkFile(bytes).schemas[0]!.fields[0]!.name).toBe("jd");
    expect(() => walkFile(bytes, false)).toThrow(
      "The schema of the footer is not that of the file's first message",
    );
  });
});

describe("blocks in another order than their offsets", () => {
  const source = fixture("dictionary.arrow");
  const { batches } = findFooter(source);
  const swapped = new Uint8Array(source);
  swapped.set(source.subarray(batches[0]!, batches[0]! + 24), batches[1]!);
  swapped.set(source.subarray(batches[1]!, batches[1]! + 24), batches[0]!);

  test("are walked by offset, and nothing moves", () => {
    for (const random of [true, false]) {
      const walked = walkFile(swapped, random);
      expect(walked.elements.map(({ offset }) => offset)).toEqual(
        walkFile(source).elements.map(({ offset }) => offset),
      );
      expect(walked.output.length).toBe(source.length);
    }
  });

  test("are counted in the footer's order, which is that of the data", () => {
    const first = findMessages(source).find(({ type }) => type === 3)!;
    const bad = lie(swapped, [first.at.rows, 77]);
    expect(() => walkFile(bad)).toThrow(`(batch 1, byte ${first.offset})`);
  });
});

describe("a file without an end marker before its footer, as old ones are", () => {
  for (const [name, bytes] of [
    ["zero_rows.arrow", 8],
    ["legacy.arrow", 4],
  ] as const) {
    test(name, () => {
      const whole = fixture(name);
      const { start } = findFooter(whole);
      const without = concat([whole.subarray(0, start - bytes), whole.subarray(start)]);
      for (const random of [true, false]) {
        expect(walkFile(without, random).batches).toEqual(walkFile(whole).batches);
        expect(walkFile(without, random).output.length).toBe(without.length);
      }
    });
  }
});

function offsetAt(position: number): bigint {
  return new DataView(file.buffer).getBigInt64(position, true);
}
