/** @file The npy format: what NumPy wrote, what is refused and why, and damaged files. */
import { describe, expect, test } from "vitest";
import { CorruptError, SluiceError, TruncatedError, UnsupportedError, UsageError } from "../../src/errors.ts";
import type { TensorColumn } from "../../src/formats/layout.ts";
import { BYTES_PER_ELEMENT } from "../../src/ops/dtype.ts";
import { fixture } from "../support/fixtures.ts";
import { concat, walkBytes } from "../support/walk.ts";

/** A file of version 1 with this header, and so many bytes of data. */
function npy(header: string, data = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const head =
    version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return concat([Uint8Array.of(0x93, 78, 85, 77, 80, 89, version, 0, ...head), text, new Uint8Array(data)]);
}

const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("arrays that NumPy wrote", () => {
  const arrays: [string, TensorColumn["dtype"], number[], TensorColumn["channels"], number][] = [
    ["c_f2", "float16", [2, 3, 4], { count: 4, stride: 1 }, 2],
    ["c_f4", "float32", [2, 3, 4], { count: 4, stride: 1 }, 2],
    ["c_f8", "float64", [2, 3, 4], { count: 4, stride: 1 }, 2],
    ["fortran_f2", "float16", [2, 3, 4], { count: 4, stride: 6 }, 2],
    ["fortran_f4", "float32", [2, 3, 4], { count: 4, stride: 6 }, 2],
    ["fortran_f8", "float64", [2, 3, 4], { count: 4, stride: 6 }, 2],
    ["vector", "float32", [5], { count: 5, stride: 1 }, 5],
    ["scalar", "float32", [], null, 1],
    ["empty", "float32", [3, 0, 2], { count: 2, stride: 1 }, 3],
    ["empty_vector", "float64", [0], { count: 0, stride: 1 }, 0],
    ["version1", "float32", [3, 2], { count: 2, stride: 1 }, 3],
    ["version2", "float32", [3, 2], { count: 2, stride: 1 }, 3],
    ["version3", "float32", [3, 2], { count: 2, stride: 1 }, 3],
  ];
  for (const [name, dtype, shape, channels, rows] of arrays) {
    for (const random of [true, false]) {
      test(`${name} ${random ? "as a file" : "from a pipe"}`, () => {
        const bytes = fixture(`${name}.npy`);
        const walked = walkBytes(bytes, { random });
        expect(walked.schemas[0]!.tensors).toEqual([
          { name: "", dtype, shape, channels, ...(name.startsWith("fortran") && { order: [2, 1, 0] }) },
        ]);
        expect(walked.batches).toEqual([rows]);
        const count = shape.reduce((product, length) => product * length, 1);
        // NumPy puts the data at the end of the file, behind a header of a multiple of 64 bytes.
        const offset = bytes.length - count * BYTES_PER_ELEMENT[dtype];
        expect(offset % 64).toBe(0);
        expect(walked.elements.map((range) => [range.offset, range.count, range.first])).toEqual(
          count === 0 ? [] : [[offset, count, 0]],
        );
        expect(walked.output.subarray(0, offset)).toEqual(bytes.subarray(0, offset));
      });
    }
  }

  test("bytes after the array are kept, as numpy.load ignores them", () => {
    for (const random of [true, false]) {
      const bytes = fixture("two.npy");
      const walked = walkBytes(bytes, { random });
      expect(walked.elements).toMatchObject([{ count: 3 }]);
      const end = walked.elements[0]!.offset + 12;
      expect(walked.output.subarray(end)).toEqual(bytes.subarray(end));
    }
  });

  test("the values are negated", () => {
    const walked = walkBytes(fixture("vector.npy"));
    expect([...new Float32Array(walked.output.slice(-20).buffer)]).toEqual([2, 1.5, 1, 0.5, -0]);
  });

  test("the type is told as people write it", () => {
    expect(walkBytes(fixture("fortran_f4.npy")).schemas[0]!.fields).toEqual([
      { name: "", type: "float32[2, 3, 4] in Fortran order", nullable: false, role: "computed" },
    ]);
  });

  test("an empty list of columns computes nothing; a name is an error", () => {
    expect(walkBytes(fixture("c_f4.npy"), { columns: [] }).output).toEqual(fixture("c_f4.npy"));
    expect(() => walkBytes(fixture("c_f4.npy"), { columns: ["x"] })).toThrow(UsageError);
  });
});

describe("other elements are refused by name, with the cast to use", () => {
  const refused: [string, string, string][] = [
    ["big_endian", 'big-endian floats (dtype ">f4")', "x.astype('<f4')"],
    ["int32", 'integers (dtype "<i4")', "x.astype('<f4')"],
    ["bool", 'booleans (dtype "|b1")', "x.astype('<f4')"],
    ["complex", 'complex numbers (dtype "<c8")', "x.real.astype('<f4')"],
    ["longdouble", 'floats (dtype "<f16")', "x.astype('<f4')"],
    ["object", 'Python objects (dtype "|O")', "x.astype('<f4')"],
    ["string", 'strings (dtype "<U2")', "x.astype('<f4')"],
    ["structured", "structured", "x['field'].astype('<f4')"],
  ];
  for (const [name, message, cast] of refused) {
    test(name, () => {
      const run = () => walkBytes(fixture(`${name}.npy`));
      expect(run).toThrow(UnsupportedError);
      expect(run).toThrow(message);
      expect(run).toThrow(expect.objectContaining({ remedy: expect.stringContaining(cast) }));
    });
  }

  test("a big-endian float64 is cast to little-endian float64", () => {
    const run = () => walkBytes(npy(header(">f8", "(1,)"), 8));
    expect(run).toThrow(expect.objectContaining({ remedy: expect.stringContaining("x.astype('<f8')") }));
  });
});

describe("the header", () => {
  test("may spell little endian as native order", () => {
    for (const descr of ["<f4", "=f4", "f4"]) {
      expect(walkBytes(npy(header(descr, "(2,)"), 8)).elements).toMatchObject([{ count: 2 }]);
    }
  });

  test("may have its keys in any order, other spaces and quotes, and no last comma", () => {
    const text = `  {"shape":(2 ,3),\n"fortran_order" : True,"descr":"<f8"}  \n`;
    expect(walkBytes(npy(text, 48)).schemas[0]!.tensors[0]).toMatchObject({
      shape: [2, 3],
      dtype: "float64",
    });
  });

  test("may have long integers of Python 2", () => {
    expect(walkBytes(npy(header("<f4", "(2L, 3L)"), 24)).elements).toMatchObject([{ count: 6 }]);
  });

  const corrupt: [string, string][] = [
    ["no literal", "__import__('os').system('true')"],
    ["no dict", "(1, 2)"],
    ["no descr", "{'fortran_order': False, 'shape': (2,)}"],
    ["a key too many", `{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}`],
    ["a shape that is no tuple", header("<f4", "2")],
    ["a shape that is a number in brackets", header("<f4", "(2)")],
    ["a shape that is a list", header("<f4", "[2]")],
    ["a negative length", header("<f4", "(-2,)")],
    ["a fraction of a length", header("<f4", "(2.5,)")],
    ["a shape of strings", header("<f4", "('a',)")],
    ["an order that is no bool", header("<f4", "(2,)", "1")],
    ["text after the dict", `${header("<f4", "(2,)")} x`],
    ["a string without end", "{'descr"],
    ["a shape beyond any file", header("<f4", "(9007199254740993, 2)")],
    ["too many brackets", "(".repeat(5000)],
  ];
  for (const [what, text] of corrupt) {
    test(`is corrupt with ${what}`, () => expect(() => walkBytes(npy(text, 8))).toThrow(CorruptError));
  }

  test("of another version is unsupported", () => {
    for (const version of [0, 4, 255]) {
      expect(() => walkBytes(npy(header("<f4", "(2,)"), 8, version))).toThrow(UnsupportedError);
    }
  });

  test("of a lying length never asks for so much", () => {
    const bytes = npy(header("<f4", "(2,)"), 8, 2);
    new DataView(bytes.buffer).setUint32(8, 0xfffffff0, true);
    expect(() => walkBytes(bytes, { random: false })).toThrow("The header has 4294967280 bytes");
  });
});

describe("a damaged file", () => {
  test("is truncated at every byte", () => {
    for (const name of ["version1.npy", "version2.npy", "scalar.npy"]) {
      const whole = fixture(name);
      for (let length = 0; length < whole.length; length++) {
        for (const random of [true, false]) {
          const run = () => walkBytes(whole.subarray(0, length), { format: "npy", random });
          expect(run, `${name} cut at ${length}`).toThrow(TruncatedError);
        }
      }
    }
  });

  test("with any bit flipped is walked or refused", () => {
    const bytes = fixture("version1.npy");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      for (const random of [true, false]) {
        try {
          walkBytes(bytes, { format: "npy", random });
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
        }
      }
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(walkBytes(bytes).rows).toBe(3);
  });
});
