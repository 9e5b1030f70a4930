/** @file Any schema, any batches: apache-arrow reads the output back with the tensors negated and all else equal. */
import {
  Bool,
  type DataType,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  RecordBatchReader,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  Utf8,
  Utf8View,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../../src/errors.ts";
import { walkBytes } from "../../support/walk.ts";
import { fixed, list, write } from "../../support/written.ts";

/** A type, values of it, and whether it is a tensor that is computed by default. */
interface Kind {
  readonly type: DataType;
  readonly values: fc.Arbitrary<unknown>;
  readonly tensor: boolean;
}

const float32 = fc.float();
const float64 = fc.double();
const text = fc.string({ maxLength: 20 });

const floats: fc.Arbitrary<Kind> = fc.constantFrom(
  { type: new Float32(), values: float32, tensor: false },
  { type: new Float64(), values: float64, tensor: false },
);

const plain: fc.Arbitrary<Kind> = fc.constantFrom<Kind>(
  { type: new Int32(), values: fc.integer(), tensor: false },
  { type: new Int64(), values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), tensor: false },
  { type: new Bool(), values: fc.boolean(), tensor: false },
  { type: new Utf8(), values: text, tensor: false },
  { type: new Utf8View(), values: text, tensor: false },
  { type: new Float32(), values: float32, tensor: false },
  { type: list(new Int32()), values: fc.array(fc.integer(), { maxLength: 3 }), tensor: false },
  { type: list(new Utf8()), values: fc.array(text, { maxLength: 3 }), tensor: false },
  {
    type: new Struct([new Field("t", fixed(2, new Float32()), true), new Field("s", new Utf8(), true)]),
    values: fc.record({ t: fc.tuple(float32, float32), s: text }),
    tensor: false,
  },
);

/** Lists of floats, nested up to three deep. */
const tensor: fc.Arbitrary<Kind> = fc
  .tuple(floats, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }))
  .map(([leaf, sizes]) =>
    sizes.reduce<Kind>(
      // 0 stands for a list, whose length varies.
      ({ type, values }, size) => ({
        type: size === 0 ? list(type) : fixed(size, type),
        values: fc.array(values, size === 0 ? { maxLength: 3 } : { minLength: size, maxLength: size }),
        tensor: true,
      }),
      leaf,
    ),
  );

const kinds = fc.array(fc.oneof(plain, tensor), { minLength: 1, maxLength: 5 });

/** Columns of some kinds in batches of any number of rows, nulls among them. */
const inputs = kinds.chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    batches: fc.array(
      fc
        .integer({ min: 0, max: 5 })
        .chain((rows) =>
          fc.tuple(
            ...columns.map(({ values }) =>
              fc.array(fc.option(values, { freq: 8 }), { minLength: rows, maxLength: rows }),
            ),
          ),
        ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);

function serialise(
  columns: readonly Kind[],
  batches: readonly unknown[][][],
  kind: "file" | "stream",
): Uint8Array {
  const schema = new Schema(columns.map(({ type }, i) => new Field(`c${i}`, type, true)));
  return write(
    kind,
    ...batches.map((values) => {
      const vectors = columns.map(({ type }, i) => vectorFromArray(values[i] as never, type) as Vector);
      return new Table(schema, Object.fromEntries(vectors.map((vector, i) => [`c${i}`, vector]))).batches[0]!;
    }),
  );
}

/** The values of a column as JSON can compare them; floats negated where asked for. */
function values(bytes: Uint8Array, column: number, sign: 1 | -1): string {
  return JSON.stringify([...tableFromIPC(bytes).getChildAt(column)!], (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number") return `${value * sign + 0}`;
    return value;
  });
}

test("negated, and nothing else changed: stream, file, and each made of the other", () => {
  fc.assert(
    fc.property(inputs, fc.constantFrom("file" as const, "stream" as const), ({ columns, batches }, kind) => {
      fc.pre(columns.some((column) => column.tensor));
      const input = serialise(columns, batches, kind);
      for (const to of ["arrow", "arrows"] as const) {
        const { output, rows } = walkBytes(input, { to });
        expect(rows).toBe(batches.reduce((sum, [first]) => sum + first!.length, 0));
        columns.forEach((column, i) => {
          expect(values(output, i, column.tensor ? -1 : 1)).toBe(values(input, i, 1));
        });
      }
    }),
    { numRuns: 150 },
  );
});

test("each range is where apache-arrow finds the values, with the length it finds", () => {
  fc.assert(
    fc.property(inputs, ({ columns, batches }) => {
      fc.pre(columns.some((column) => column.tensor));
      const input = serialise(columns, batches, "stream");
      const expected = [...RecordBatchReader.from(input)].flatMap((batch) =>
        columns.flatMap((column, i) => {
          let data = batch.getChildAt(i)!.data[0]!;
          while (data.children.length > 0) data = data.children[0]!;
          const offset = data.values?.byteOffset - input.byteOffset;
          return column.tensor && data.length > 0 ? [{ tensor: `c${i}`, offset, count: data.length }] : [];
        }),
      );
      const { elements } = walkBytes(input, { random: false });
      expect(elements.map(({ column, offset, count }) => ({ tensor: column.name, offset, count }))).toEqual(
        expected,
      );
    }),
    { numRuns: 150 },
  );
});

test("bytes at random are refused, never worse", () => {
  const start = fc.constantFrom([], [255, 255, 255, 255], [65, 82, 82, 79, 87, 49, 0, 0], [16, 0, 0, 0]);
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (first, rest, random) => {
      const bytes = Uint8Array.from([...first, ...rest]);
      for (const format of ["arrow", "arrows", "npy"] as const) {
        expect(() => walkBytes(bytes, { format, random })).toThrow(SluiceError);
      }
    }),
    { numRuns: 300 },
  );
});

test("a dictionary beside a tensor goes through", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, float32), { minLength: 1, maxLength: 10 }), (rows) => {
      const type = new Dictionary(new Utf8(), new Int32());
      const table = new Table({
        word: vectorFromArray(
          rows.map(([word]) => word),
          type,
        ),
        t: vectorFromArray(
          rows.map(([, value]) => [value]),
          fixed(1, new Float32()),
        ),
      });
      const input = write("stream", ...table.batches);
      const { output } = walkBytes(input, { to: "arrow" });
      expect(values(output, 0, 1)).toBe(values(input, 0, 1));
      expect(values(output, 1, -1)).toBe(values(input, 1, 1));
    }),
    { numRuns: 50 },
  );
});
