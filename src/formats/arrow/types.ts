/** @file The types of Arrow columns (the union `Type` of Schema.fbs), and how each is laid out in buffers. */
import type { Dtype } from "../../ops/dtype.ts";
import type { FlatBuffer } from "./flatbuffer.ts";

/** Types that have no parameters which matter here. */
const SIMPLE = {
  1: "null",
  4: "binary",
  5: "utf8",
  6: "bool",
  12: "list",
  13: "struct",
  17: "map",
  19: "large_binary",
  20: "large_utf8",
  21: "large_list",
  22: "run_end_encoded",
  23: "binary_view",
  24: "utf8_view",
  25: "list_view",
  26: "large_list_view",
} as const;

export type ArrowType =
  | { readonly kind: (typeof SIMPLE)[keyof typeof SIMPLE] }
  | { readonly kind: "float"; readonly dtype: Dtype }
  | { readonly kind: "int"; readonly text: string }
  | { readonly kind: "fixed_size_list"; readonly size: number }
  | { readonly kind: "union"; readonly dense: boolean }
  /** Fixed width values that carry no floats: decimals, dates, times, intervals, fixed-size binary. */
  | { readonly kind: "fixed"; readonly text: string }
  /** A type of a later version of Arrow, whose buffers nobody can count. */
  | { readonly kind: "unknown"; readonly id: number };

/** How many buffers a column of a type has in a record batch, not counting its children. */
export interface BufferLayout {
  readonly validity: boolean;
  readonly data: number;
  /** Views have further data buffers; each batch says how many (`variadicBufferCounts`). */
  readonly variadic: boolean;
}

const DTYPES = ["float16", "float32", "float64"] as const;
const TIME_UNITS = ["s", "ms", "us", "ns"];
const INTERVAL_UNITS = ["year_month", "day_time", "month_day_nano"];

/** Reads the type with number `id` from its table (0 where the table is absent). */
export function readType(flat: FlatBuffer, id: number, table: number): ArrowType {
  const i16 = (slot: number, absent = 0) => (table === 0 ? absent : flat.fieldI16(table, slot, absent));
  const i32 = (slot: number, absent = 0) => (table === 0 ? absent : flat.fieldI32(table, slot, absent));
  const unit = (names: readonly string[], value: number) => names[value] ?? `unit ${value}`;
  const fixed = (text: string) => ({ kind: "fixed", text }) as const;
  switch (id) {
    case 2:
      return { kind: "int", text: readInt(flat, table) };
    case 3: {
      const dtype = DTYPES[i16(0)];
      if (dtype === undefined) throw flat.place.corrupt(`The schema names a float of precision ${i16(0)}`);
      return { kind: "float", dtype };
    }
    case 7:
      return fixed(`decimal${i32(2, 128)}(${i32(0)}, ${i32(1)})`);
    case 8:
      return fixed(i16(0, 1) === 0 ? "date32" : "date64");
    case 9:
      return fixed(`time${i32(1, 32)}[${unit(TIME_UNITS, i16(0, 1))}]`);
    case 10: {
      const zone = table === 0 ? "" : flat.fieldString(table, 1);
      return fixed(`timestamp[${unit(TIME_UNITS, i16(0))}${zone === "" ? "" : `, ${zone}`}]`);
    }
    case 11:
      return fixed(`interval[${unit(INTERVAL_UNITS, i16(0))}]`);
    case 14:
      return { kind: "union", dense: i16(0) === 1 };
    case 15:
      return fixed(`fixed_size_binary[${i32(0)}]`);
    case 16: {
      const size = i32(0);
      if (size < 0) throw flat.place.corrupt(`The schema names a fixed_size_list of size ${size}`);
      return { kind: "fixed_size_list", size };
    }
    case 18:
      return fixed(`duration[${unit(TIME_UNITS, i16(0, 1))}]`);
    default: {
      const kind = (SIMPLE as Readonly<Record<number, (typeof SIMPLE)[keyof typeof SIMPLE]>>)[id];
      return kind === undefined ? { kind: "unknown", id } : { kind };
    }
  }
}

/** `int32`, `uint8`; also the index type of a dictionary, which is int32 where it is absent. */
export function readInt(flat: FlatBuffer, table: number): string {
  if (table === 0) return "int32";
  return `${flat.fieldU8(table, 1, 0) === 0 ? "uint" : "int"}${flat.fieldI32(table, 0, 0)}`;
}

/** How many children a type has: exactly this many, or any number where null. */
export function childCount(type: ArrowType): number | null {
  switch (type.kind) {
    case "struct":
    case "union":
    case "unknown":
      return null;
    case "run_end_encoded":
      return 2;
    case "list":
    case "large_list":
    case "list_view":
    case "large_list_view":
    case "fixed_size_list":
    case "map":
      return 1;
    default:
      return 0;
  }
}

const VALUES: BufferLayout = { validity: true, data: 1, variadic: false };
const VALIDITY_ONLY: BufferLayout = { validity: true, data: 0, variadic: false };
const OFFSETS_AND_DATA: BufferLayout = { validity: true, data: 2, variadic: false };
const NOTHING: BufferLayout = { validity: false, data: 0, variadic: false };
const VIEWS: BufferLayout = { validity: true, data: 1, variadic: true };

/**
 * The buffers of a type ("Buffer Listing for Each Layout" in the columnar format), `null` for an unknown type.
 *
 * In metadata V4 every type but null had a validity buffer; V5 dropped it from unions and run-end encoded columns
 * (`MetadataVersion` in Schema.fbs; arrow/ipc/metadata_internal.cc, `HasValidityBitmap`).
 */
export function buffersOf(type: ArrowType, version: 4 | 5): BufferLayout | null {
  switch (type.kind) {
    case "null":
      return NOTHING;
    case "struct":
    case "fixed_size_list":
      return VALIDITY_ONLY;
    case "run_end_encoded":
      return version === 4 ? VALIDITY_ONLY : NOTHING;
    case "union":
      return { validity: version === 4, data: type.dense ? 2 : 1, variadic: false };
    case "binary":
    case "utf8":
    case "large_binary":
    case "large_utf8":
    case "list_view":
    case "large_list_view":
      return OFFSETS_AND_DATA;
    case "binary_view":
    case "utf8_view":
      return VIEWS;
    case "unknown":
      return null;
    default:
      return VALUES;
  }
}

/** The buffers of the indices that stand in a batch for a dictionary-encoded column. */
export const INDICES: BufferLayout = VALUES;
