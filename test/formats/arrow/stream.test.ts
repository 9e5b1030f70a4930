/** @file The Arrow stream format: framing, ends, streams one after the other, and what is refused. */
import { describe, expect, test } from "vitest";
import { CorruptError, TruncatedError, UnsupportedError } from "../../../src/errors.ts";
import { FlatBuffer } from "../../../src/formats/arrow/flatbuffer.ts";
import { graft } from "../../../src/formats/arrow/graft.ts";
import { openLayout } from "../../../src/formats/detect.ts";
import { Place } from "../../../src/formats/place.ts";
import { fixture } from "../../support/fixtures.ts";
import { findMessages, lie } from "../../support/lies.ts";
import { concat, walkBytes } from "../../support/walk.ts";

const small = fixture("small.arrows");
const [schema, batch] = findMessages(small);
const END = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** Walks as a stream, whatever the bytes look like. */
const walkStream = (bytes: Uint8Array, random = true) => walkBytes(bytes, { format: "arrows", random });

describe("a stream", () => {
  for (const random of [true, false]) {
    const kind = random ? "of known size" : "of unknown size";

    test(`${kind} may be a schema only`, () => {
      const walked = walkStream(fixture("no_batches.arrows"), random);
      expect(walked.schemas.length).toBe(1);
      expect(walked.rows).toBe(0);
    });

    test(`${kind} may end without an end marker`, () => {
      const walked = walkStream(small.subarray(0, small.length - 8), random);
      expect(walked.rows).toBe(2);
      expect(walkStream(small.subarray(0, schema!.lead), random).rows).toBe(0);
    });

    test(`${kind} may be followed by zero padding`, () => {
      for (const zeros of [1, 4, 7, 8, 4096, 5000]) {
        const padded = concat([small, new Uint8Array(zeros)]);
        expect(walkStream(padded, random).output.length).toBe(padded.length);
      }
    });

    test(`${kind} may be followed by another one, with a schema of its own`, () => {
      const walked = walkStream(
        concat([small, fixture("tensors.arrows"), fixture("legacy.arrows"), small]),
        random,
      );
      expect(walked.schemas.map(({ tensors }) => tensors.length)).toEqual([1, 4, 1, 1]);
      expect(walked.batches).toEqual([2, 3, 2, 3, 2, 2]);
    });

    test(`${kind} may have padding before the next one`, () => {
      const walked = walkStream(concat([small, new Uint8Array(12), small, new Uint8Array(4)]), random);
      expect(walked.batches).toEqual([2, 2]);
    });

    test(`${kind} must not be followed by anything else`, () => {
      const text = new TextEncoder().encode("this is no stream");
      expect(() => walkStream(concat([small, text]), random)).toThrow(CorruptError);
      expect(() => walkStream(concat([small, text.subarray(0, 3)]), random)).toThrow(TruncatedError);
      const batchOnly = small.subarray(batch!.offset);
      expect(() => walkStream(concat([small, batchOnly]), random)).toThrow("does not begin with a schema");
    });

    test(`${kind} must have a schema first`, () => {
      expect(() => walkStream(new Uint8Array(0), random)).toThrow(TruncatedError);
      expect(() => walkStream(END, random)).toThrow(CorruptError);
      expect(() => walkStream(small.subarray(batch!.offset), random)).toThrow("does not begin with a schema");
    });
  }

  test("must not have a second schema before its end", () => {
    const schemaMessage = small.subarray(0, schema!.lead);
    expect(() => walkStream(concat([schemaMessage, small]))).toThrow("A second schema");
  });

  test("of many streams counts its batches on in errors", () => {
    const bad = lie(small, [batch!.at.buffers[0]!, -8n]);
    const run = () => walkStream(concat([small, small, bad]));
    expect(run).toThrow(`batch 2, byte ${2 * small.length + batch!.offset}`);
  });

  test("is never asked for bytes beyond the message at hand, so that a slow pipe is passed on at once", () => {
    for (const name of ["dictionary.arrows", "small.arrows", "legacy.arrows"]) {
      const bytes = fixture(name);
      const ends = [...findMessages(bytes).map(({ offset, lead }) => offset + lead), bytes.length];
      const steps = openLayout("arrows", { random: false });
      let at = 0;
      for (let next = steps.next(new Uint8Array(0)); !next.done; ) {
        const step = next.value;
        let answer = new Uint8Array(0);
        if (step.step === "peek") {
          const end = ends.find((position) => position > at) ?? bytes.length + 4;
          expect(at + step.length).toBeLessThanOrEqual(end);
          answer = bytes.slice(at, at + step.length);
        } else if (step.step === "keep") at += step.length;
        else if (step.step === "elements") at += step.count * 4;
        next = steps.next(answer);
      }
      expect(at).toBe(bytes.length);
    }
  });
});

describe("before Arrow 0.15, messages had no continuation word", () => {
  test("and are walked all the same, from a pipe too", () => {
    for (const random of [true, false]) {
      expect(walkBytes(fixture("legacy.arrows"), { random }).batches).toEqual([3, 2]);
      expect(walkBytes(fixture("legacy_nested.arrows"), { random }).batches).toEqual([3]);
    }
  });

  test("and may end without an end marker", () => {
    const legacy = fixture("legacy.arrows");
    expect(walkStream(legacy.subarray(0, legacy.length - 4), false).batches).toEqual([3, 2]);
  });

  test("and both kinds may follow each other in one stream", () => {
    const legacy = fixture("legacy.arrows");
    const [first, second] = findMessages(legacy);
    const mixed = concat([legacy.subarray(0, second!.offset), small.subarray(batch!.offset)]);
    expect(first!.prefix).toBe(4);
    expect(walkStream(mixed).batches).toEqual([2]);
  });
});

describe("unsupported", () => {
  test("metadata of V1, V2, V3 and of the future", () => {
    for (const version of [0, 1, 2, 5, 77]) {
      const bytes = lie(small, [batch!.at.version, version, "int16"]);
      expect(() => walkStream(bytes)).toThrow(UnsupportedError);
      expect(() => walkStream(bytes)).toThrow(`metadata version is V${version + 1}`);
    }
  });

  test("Tensor and SparseTensor messages", () => {
    for (const type of [4, 5]) {
      expect(() => walkStream(lie(small, [batch!.at.type, type, "uint8"]))).toThrow(UnsupportedError);
    }
  });

  test("big-endian data", () => {
    const bytes = bigEndian(small);
    expect(() => walkStream(bytes)).toThrow(UnsupportedError);
    expect(() => walkStream(bytes)).toThrow("big-endian");
  });

  for (const [name, codec] of [
    ["lz4", "LZ4_FRAME"],
    ["zstd", "ZSTD"],
  ]) {
    for (const extension of ["arrow", "arrows"]) {
      test(`bodies compressed with ${codec}: ${name}.${extension}`, () => {
        const run = () => walkBytes(fixture(`${name}.${extension}`));
        expect(run).toThrow(UnsupportedError);
        expect(run).toThrow(new RegExp(`compressed with ${codec} \\(batch 0, byte \\d+\\)`));
      });
    }
  }

  test("bodies compressed as Arrow 0.17 did it", () => {
    expect(() => walkBytes(fixture("experimental_codec.arrows"))).toThrow("compressed with ZSTD");
  });

  test("a type that nobody knows, whose buffers cannot be counted", () => {
    const flat = new FlatBuffer(new Place()).open(small, 8, schema!.lead);
    const [id] = flat.fieldTables(flat.fieldTable(flat.root(), 2), 1);
    const bytes = lie(small, [flat.field(id!, 2), 99, "uint8"]);
    expect(() => walkStream(bytes)).toThrow(UnsupportedError);
    expect(() => walkStream(bytes)).toThrow('unknown type 99, so its buffers cannot be counted (column "id"');
  });
});

/** The stream with a schema that says its data is big-endian: a new Schema table in front of the old one. */
function bigEndian(stream: Uint8Array): Uint8Array {
  const flat = new FlatBuffer(new Place()).open(stream, 8, schema!.lead);
  const old = flat.fieldTable(flat.root(), 2);
  const table = graft(
    [{ bytes: 2, value: 1 }, { to: flat.fieldVector(old, 1, 4) - 8 }],
    stream.subarray(8, schema!.lead),
  );
  const root = new DataView(table.buffer).getUint32(0, true);
  const message = graft([{ bytes: 2, value: 4 }, { bytes: 1, value: 1 }, { to: root }], table);
  const prefix = new Uint8Array(8).fill(255);
  new DataView(prefix.buffer).setInt32(4, message.length, true);
  return concat([prefix, message, stream.subarray(batch!.offset)]);
}
