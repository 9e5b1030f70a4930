/** @file Formats are told from their first bytes, and what is none of them is named. */
import { describe, expect, test } from "vitest";
import { NotRecognisedError, TruncatedError } from "../../src/errors.ts";
import { DETECT_BYTES, detectFormat, formatOfPath } from "../../src/formats/detect.ts";
import { fixture, fixtures } from "../support/fixtures.ts";

const text = (value: string) => new TextEncoder().encode(value);
const head = (bytes: Uint8Array) => bytes.subarray(0, DETECT_BYTES);

describe("every fixture is told by its content", () => {
  for (const extension of ["arrow", "arrows", "npy"]) {
    test(`as ${extension}`, () => {
      for (const name of fixtures(`.${extension}`))
        expect([name, detectFormat(head(fixture(name)))]).toEqual([name, extension]);
    });
  }
});

describe("what is not read is named, with what to do", () => {
  const others: [string, Uint8Array, string, string][] = [
    ["Parquet", text("PAR1\x15\x04\x15 \x15\x26L\x15\x02\x15"), "a Parquet file", "write_feather"],
    ["Feather V1", text("FEA1\x00\x00\x00\x00"), "a Feather V1 file", "write_feather"],
    ["ORC", text("ORC\x00\x00\x00\x00\x00"), "an ORC file", "Arrow"],
    ["Avro", text("Obj\x01\x04\x16avro.schema"), "an Avro file", "Arrow"],
    ["HDF5", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0), "an HDF5 file", "np.save"],
    ["zip", text("PK\x03\x04\x14\x00\x00\x00"), "a zip archive (as .npz", "np.load"],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), "compressed with gzip", "gzip -dc"],
    ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0), "compressed with zstd", "zstd -dc"],
    ["lz4", Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7, 0), "compressed with lz4", "lz4 -dc"],
    ["bzip2", text("BZh91AY&SY"), "compressed with bzip2", "bzip2 -dc"],
    ["xz", Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4), "compressed with xz", "xz -dc"],
    ["a pickle", Uint8Array.of(0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0), "a Python pickle", "np.save"],
    ["GGUF", text("GGUF\x03\x00\x00\x00"), "a GGUF file", "Arrow"],
    ["MATLAB", text("MATLAB 5.0 MAT-file"), "a MATLAB file", "np.save"],
    [
      "safetensors",
      Uint8Array.of(72, 0, 0, 0, 0, 0, 0, 0, ...text('{"weight"')),
      "a safetensors file",
      "np.save",
    ],
    ["JSON", text('{"a": [1, 2, 3]}'), "looks like JSON", "Arrow"],
    ["JSON lines of arrays", text("[1, 2]\n[3, 4]\n..."), "looks like JSON", "Arrow"],
    ["CSV", text("id,value\n1,2.5\n2,"), "text (CSV, perhaps)", "read_csv"],
    ["CSV with umlauts that are cut", text("größe,wert,größeü").subarray(0, 16), "text", "read_csv"],
    ["nothing", new Uint8Array(0), "The input is empty", "Arrow IPC"],
    ["a few bytes", Uint8Array.of(1, 2, 3), "only 3 bytes", "Arrow IPC"],
    ["zeros", new Uint8Array(16), "no known format", "Arrow IPC"],
    [
      "PNG",
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13),
      "no known format",
      "Arrow IPC",
    ],
  ];
  for (const [what, bytes, name, remedy] of others) {
    test(what, () => {
      const run = () => detectFormat(head(bytes), { path: "in.bin" });
      expect(run).toThrow(NotRecognisedError);
      expect(run).toThrow(name);
      expect(run).toThrow("(in.bin)");
      expect(run).toThrow(expect.objectContaining({ remedy: expect.stringContaining(remedy) }));
    });
  }
});

test("an input that ends within its first bytes is truncated", () => {
  for (const name of ["small.arrow", "small.arrows", "c_f4.npy"]) {
    for (let length = 4; length < 6; length++) {
      expect(() => detectFormat(fixture(name).subarray(0, length))).toThrow(TruncatedError);
    }
  }
  expect(() => detectFormat(text("ARR"))).toThrow(TruncatedError);
});

test("the name of an output says its format", () => {
  const names = { arrow: "arrow", feather: "arrow", ipc: "arrow", arrows: "arrows", npy: "npy" };
  for (const [extension, format] of Object.entries(names)) {
    expect(formatOfPath(`/some.where/out.${extension}`)).toBe(format);
    expect(formatOfPath(`OUT.${extension.toUpperCase()}`)).toBe(format);
  }
  for (const path of ["-", "out", "out.bin", "out.arrow.gz", "arrow", "dir.arrow/out"]) {
    expect(formatOfPath(path)).toBe(undefined);
  }
});
