/** @file Which columns are computed, how they are described, and what is said of those that cannot be. */
import { Field, Float32, Int32, Schema, Struct, Table, Utf8, vectorFromArray } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { ColumnError, CorruptError, UnsupportedError } from "../../../src/errors.ts";
import type { FieldSummary, TensorColumn } from "../../../src/formats/layout.ts";
import { fixture } from "../../support/fixtures.ts";
import { walkBytes } from "../../support/walk.ts";
import { batchOf, everyColumn, fixed, list, write } from "../../support/written.ts";

function schemaOf(input: Uint8Array, columns?: readonly string[]) {
  return walkBytes(input, { columns }).schemas[0]!;
}

function named(fields: readonly FieldSummary[]): Record<string, FieldSummary> {
  return Object.fromEntries(fields.map((field) => [field.name, field]));
}

function tensor(input: Uint8Array, name: string): TensorColumn {
  return schemaOf(input, [name]).tensors[0]!;
}

function failure(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}

/** A stream with one column of a list of two floats, under the given extension type. */
function extension(name: string, metadata: string, size = 2): Uint8Array {
  const type = fixed(size, new Float32());
  const entries = new Map([
    ["ARROW:extension:name", name],
    ["ARROW:extension:metadata", metadata],
  ]);
  const column = vectorFromArray([new Array<number>(size).fill(1)], type);
  const schema = new Schema([new Field("t", type, true, entries)]);
  return write("stream", new Table(schema, { t: column }).batches[0]!);
}

describe("by default", () => {
  test("every top-level tensor column is computed, and nothing else", () => {
    const { fields, tensors } = schemaOf(fixture("nested.arrow"));
    expect(tensors.map(({ name }) => name)).toEqual(["list", "large_list", "fixed", "deep", "last"]);
    const computed = fields.filter(({ role }) => role === "computed").map(({ name }) => name);
    expect(computed).toEqual(["list", "large_list", "fixed", "deep", "last"]);
  });

  test("what looks like a tensor but is not handled is skipped, with a reason", () => {
    const fields = named(schemaOf(fixture("nested.arrow")).fields);
    const skipped = ["list_view", "large_list_view", "map", "sparse", "dense", "list_of_structs"];
    for (const name of skipped)
      expect(fields[name]).toMatchObject({ role: "skipped", reason: expect.any(String) });
    expect(fields.map!.reason).toBe("a map, which is not computed");
    for (const name of ["plain_map", "runs", "ints", "struct"]) expect(fields[name]!.role).toBe("plain");
    expect(fields["struct.emb"]!.role).toBe("tensor");
    expect(fields["struct.x"]).toBeUndefined();
  });

  test("a column of an unknown extension type is skipped", () => {
    const fields = named(schemaOf(fixture("tensors.arrow")).fields);
    expect(fields.unknown).toMatchObject({ role: "skipped" });
    expect(fields.unknown!.reason).toContain("example.unknown");
  });

  test("nothing to compute is an error that lists what could be named", () => {
    const error = failure(() => walkBytes(fixture("plain.arrow")));
    expect(error).toBeInstanceOf(ColumnError);
    expect(String(error)).toContain('"a", "b"');
    expect((error as ColumnError).remedy).toContain('--column "a"');
  });

  test("the schema step comes before the error, so that it can be shown", () => {
    expect(schemaOf(fixture("plain.arrow"), []).fields.map(({ name }) => name)).toEqual(["a", "b", "s"]);
  });

  test("an empty list of columns selects nothing, and walks compressed data too", () => {
    const walked = walkBytes(fixture("zstd.arrow"), { columns: [] });
    expect(walked.rows).toBe(200);
    expect(walked.elements).toEqual([]);
    expect(walked.schemas[0]!.fields.map(({ role }) => role)).toEqual(["plain", "tensor"]);
  });

  test("a schema without columns says so", () => {
    expect(String(failure(() => walkBytes(fixture("zero_columns.arrows"))))).toContain(
      "The schema has no columns",
    );
  });
});

describe("a named column", () => {
  const written = write("stream", batchOf(everyColumn()));

  test("may be a plain float column", () => {
    expect(tensor(written, "double")).toEqual({
      name: "double",
      dtype: "float64",
      shape: [],
      channels: null,
    });
    expect(tensor(written, "half")).toMatchObject({ dtype: "float16" });
  });

  test("may be a struct's child, of any depth", () => {
    expect(tensor(written, "struct.x")).toMatchObject({ name: "struct.x", shape: [] });
    expect(tensor(written, "struct.t")).toMatchObject({ name: "struct.t", shape: [2] });
    expect(tensor(fixture("names.arrow"), "x.in.t")).toMatchObject({ name: "x.in.t", shape: [2] });
  });

  test("may have dots in its own name, at the top or in a struct", () => {
    expect(tensor(fixture("names.arrow"), "x.y")).toMatchObject({ name: "x.y" });
    expect(tensor(fixture("names.arrow"), "s.a.b")).toMatchObject({ name: "s.a.b", shape: [] });
  });

  test("may be of an unknown extension type: then its storage is computed", () => {
    expect(tensor(fixture("tensors.arrow"), "unknown")).toMatchObject({ dtype: "float32", shape: [2] });
  });

  test("may be named twice, and is computed once", () => {
    expect(schemaOf(written, ["tensor", "last", "tensor"]).tensors.map(({ name }) => name)).toEqual([
      "tensor",
      "last",
    ]);
  });

  test("and a part of its storage are the same values, computed once", () => {
    expect(
      schemaOf(fixture("tensors.arrow"), ["ragged", "ragged.data"]).tensors.map(({ name }) => name),
    ).toEqual(["ragged"]);
    expect(tensor(fixture("tensors.arrow"), "ragged.data")).toMatchObject({ shape: [null] });
  });

  test("that does not exist is an error with the nearest names", () => {
    const error = failure(() => schemaOf(written, ["tensr"])) as ColumnError;
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain('There is no such column; did you mean "tensor"? (column "tensr")');
    expect(error.remedy).toContain('"struct.t"');
    expect(error.position.column).toBe("tensr");
  });

  test("that two columns have is ambiguous", () => {
    const error = failure(() => schemaOf(fixture("names.arrow"), ["d"])) as ColumnError;
    expect(error).toBeInstanceOf(ColumnError);
    expect(error.message).toContain('The name means 2 columns (column "d")');
  });

  test("that two columns have, of which one holds floats, means that one", () => {
    const written = write(
      "stream",
      batchOf({ first: vectorFromArray(["a"], new Utf8()), other: vectorFromArray([1], new Float32()) }),
    );
    // apache-arrow writes no two columns of one name: make it two.
    const bytes = new Uint8Array(
      Buffer.from(Buffer.from(written).toString("latin1").replace("other", "first"), "latin1"),
    );
    expect(schemaOf(bytes, ["first"]).fields.map(({ role }) => role)).toEqual(["plain", "computed"]);
  });

  const errors: [string, string, Uint8Array, new (problem: string) => Error, string, string][] = [
    [
      "ints",
      "integers",
      fixture("nested.arrow"),
      ColumnError,
      "list<int32>: integers",
      "cast(pa.list_(pa.float32()))",
    ],
    ["int8", "an integer", written, ColumnError, "int8: integers", "cast(pa.float32())"],
    ["utf8", "a string", written, ColumnError, "utf8, not a tensor of floats", "Columns of floats: "],
    ["struct", "a struct", written, ColumnError, "a struct", 'Name its children: "struct.x", "struct.t"'],
    [
      "list_view",
      "a list view",
      fixture("nested.arrow"),
      UnsupportedError,
      "a list_view",
      "Cast it to a list",
    ],
    ["map", "a map of lists", fixture("nested.arrow"), UnsupportedError, "a map", "list column of their own"],
    ["plain_map", "a map", fixture("nested.arrow"), ColumnError, "a map", ""],
    [
      "dense",
      "a union of lists",
      fixture("nested.arrow"),
      UnsupportedError,
      "a union",
      "column of their own",
    ],
    ["runs", "run-end encoded", fixture("nested.arrow"), ColumnError, "run-end encoded", "pc.run_end_decode"],
    [
      "encoded",
      "of lists in a dictionary",
      fixture("dictionary.arrow"),
      UnsupportedError,
      "dictionary",
      "decode",
    ],
    [
      "list_of_structs",
      "lists too deep",
      fixture("nested.arrow"),
      UnsupportedError,
      "with lists of floats",
      "own",
    ],
  ];
  for (const [name, what, bytes, type, message, remedy] of errors) {
    test(`that is ${what} is an error that says why and what to do`, () => {
      const error = failure(() => schemaOf(bytes, [name])) as ColumnError;
      expect(error).toBeInstanceOf(type);
      expect(error.message).toContain(message);
      expect(error.message).toContain(`column "${name}"`);
      expect(error.remedy ?? "").toContain(remedy);
    });
  }
});

describe("the shape and the channels of a tensor column", () => {
  const cases: [string, Uint8Array, string, TensorColumn["shape"], TensorColumn["channels"]][] = [
    ["a list varies in length", fixture("nested.arrow"), "list", [null], null],
    ["a fixed_size_list has channels", fixture("nested.arrow"), "fixed", [4], { count: 4, stride: 1 }],
    ["lists nest", fixture("nested.arrow"), "deep", [null, null, 2], { count: 2, stride: 1 }],
    ["a fixed shape tensor", fixture("tensors.arrow"), "image", [2, 2], { count: 2, stride: 1 }],
    // Physical [2, 3] with permutation [1, 0]: the last logical axis is the first physical one.
    ["a permuted tensor", fixture("tensors.arrow"), "permuted", [3, 2], { count: 2, stride: 3 }],
    ["a list of tensors", fixture("tensors.arrow"), "images", [null, 2, 2], { count: 2, stride: 1 }],
    ["a variable shape tensor", fixture("tensors.arrow"), "ragged", [null, 3], null],
  ];
  for (const [what, bytes, name, shape, channels] of cases) {
    test(what, () => expect(tensor(bytes, name)).toMatchObject({ shape, channels }));
  }

  test("a permutation of three axes puts the last logical axis in the middle", () => {
    const bytes = extension("arrow.fixed_shape_tensor", '{"shape": [2, 3, 5], "permutation": [2, 0, 1]}', 30);
    expect(tensor(bytes, "t")).toMatchObject({ shape: [5, 2, 3], channels: { count: 3, stride: 5 } });
  });

  test("a fixed_size_list of lists has no last axis of fixed length", () => {
    const column = vectorFromArray([[[1], [2, 3]]], fixed(2, list(new Float32())));
    expect(tensor(write("stream", batchOf({ t: column })), "t")).toMatchObject({
      shape: [2, null],
      channels: null,
    });
  });
});

describe("a tensor extension type that contradicts itself is an error when it is selected", () => {
  const invalid: [string, string][] = [
    ["parameters that are no JSON", "{"],
    ["no shape", "{}"],
    ["a shape of another size", '{"shape": [3]}'],
    ["a negative shape", '{"shape": [-1, -2]}'],
    ["a permutation of other axes", '{"shape": [2, 1], "permutation": [0, 0]}'],
    ["a permutation of another length", '{"shape": [2, 1], "permutation": [0]}'],
  ];
  for (const [what, metadata] of invalid) {
    test(what, () => {
      const bytes = extension("arrow.fixed_shape_tensor", metadata);
      expect(() => schemaOf(bytes)).toThrow(CorruptError);
      expect(() => schemaOf(bytes, ["t"])).toThrow(/no valid arrow.fixed_shape_tensor/);
      expect(schemaOf(bytes, []).fields[0]!.role).toBe("tensor");
    });
  }

  test("a variable shape tensor that is no struct", () => {
    expect(() => schemaOf(extension("arrow.variable_shape_tensor", ""))).toThrow(
      /no struct of data and shape/,
    );
  });

  test("an empty permutation means none", () => {
    const bytes = extension("arrow.fixed_shape_tensor", '{"shape": [1, 2], "permutation": []}');
    expect(tensor(bytes, "t").channels).toEqual({ count: 2, stride: 1 });
  });
});

describe("types are written as people write them", () => {
  const texts: Record<string, Record<string, string>> = {
    "leaves.arrow": {
      null: "null",
      bool: "bool",
      int8: "int8",
      uint64: "uint64",
      half: "float16",
      utf8: "utf8",
      view: "utf8_view",
      binary_view: "binary_view",
      fixed: "fixed_size_binary[3]",
      tensor: "fixed_size_list<float32>[3]",
      decimal32: "decimal32(5, 2)",
      decimal256: "decimal256(60, 2)",
      date32: "date32",
      date64: "date64",
      time32: "time32[ms]",
      time64: "time64[ns]",
      timestamp: "timestamp[us, UTC]",
      local: "timestamp[s]",
      duration: "duration[ms]",
      interval: "interval[month_day_nano]",
    },
    "nested.arrow": {
      list: "list<float32>",
      large_list: "large_list<float64>",
      deep: "list<list<fixed_size_list<float32>[2]>>",
      struct: "struct<emb: fixed_size_list<float32>[2], x: float32, name: utf8>",
      map: "map<utf8, list<float32>>",
      sparse: "sparse_union<t: list<float32>, s: utf8>",
      dense: "dense_union<t: list<float32>, s: utf8>",
      runs: "run_end_encoded<int32, float32>",
    },
    "dictionary.arrow": { word: "dictionary<int8, utf8>", encoded: "dictionary<int16, list<float32>>" },
    "tensors.arrow": {
      image: "fixed_shape_tensor<float32>[2, 2]",
      permuted: "fixed_shape_tensor<float32>[2, 3] permuted [1, 0]",
      images: "list<fixed_shape_tensor<float32>[2, 2]>",
      ragged: "variable_shape_tensor<float32>[?, 3]",
      unknown: "extension<example.unknown, fixed_size_list<float32>[2]>",
    },
  };
  for (const [name, expected] of Object.entries(texts)) {
    test(name, () => {
      const fields = named(schemaOf(fixture(name), []).fields);
      const found = Object.fromEntries(Object.keys(expected).map((column) => [column, fields[column]?.type]));
      expect(found).toEqual(expected);
    });
  }

  test("nullability and the metadata of the schema are told", () => {
    const { fields, metadata } = schemaOf(fixture("tensors.arrow"));
    expect(named(fields).label!.nullable).toBe(false);
    expect(named(fields).image!.nullable).toBe(true);
    expect(metadata).toEqual(new Map([["made by", "make.py"]]));
  });
});

test("a struct in a struct is described by its children that are tensors", () => {
  const inner = new Struct([new Field("t", fixed(1, new Float32())), new Field("n", new Int32())]);
  const outer = new Struct([new Field("in", inner)]);
  const bytes = write("stream", batchOf({ s: vectorFromArray([{ in: { t: [1], n: 2 } }], outer) }));
  expect(schemaOf(bytes, []).fields.map(({ name, role }) => [name, role])).toEqual([
    ["s", "plain"],
    ["s.in.t", "tensor"],
  ]);
});
