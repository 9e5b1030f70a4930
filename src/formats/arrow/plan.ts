/**
 * @file Where the selected values are in the flattened lists of any record batch of a schema.
 *
 * A record batch lists the nodes and the buffers of its columns in pre-order, without naming them: which buffer is whose
 * follows from the schema alone. Views have a number of buffers that each batch says anew (`variadicBufferCounts`).
 *
 * ```text
 *   schema    a: struct<x: int32, y: list<float32>>   v: utf8_view               t: list<float32>
 *   nodes     a  a.x  a.y  a.y.item                   v                          t  t.item
 *   buffers   v  v d  v o  v D                        validity views data...     v o  v D        v = validity, o = offsets
 *   index     0  1 2  3 4  5 6                        7        8     9...        9 + count ...
 * ```
 */
import { BYTES_PER_ELEMENT, type Dtype } from "../../ops/dtype.ts";
import type { Place } from "../place.ts";
import type { Field, Schema } from "./schema.ts";
import { type BufferLayout, buffersOf, INDICES } from "./types.ts";
import { typeText } from "./typeText.ts";

/** How the values of one tensor are found in a batch. */
export interface Target {
  /** Index of the tensor in the selection. */
  readonly tensor: number;
  /** Node whose length is the number of elements. */
  readonly node: number;
  /** Buffer of the values, not counting the data buffers of views before it. */
  readonly buffer: number;
  /** Columns of views before it. */
  readonly views: number;
  readonly elementBytes: number;
  /** Nodes whose lengths bind each other, as triples: child, parent, fewest child slots per parent slot. */
  readonly lengths: readonly number[];
  /** The lists of varying length along the path, from the top. */
  readonly lists: readonly ListPlace[];
  /** The list of varying length that holds the values themselves. */
  readonly rows: ListPlace | null;
}

/** How the offsets of a list are found in a batch. */
export interface ListPlace {
  readonly node: number;
  /** Buffer of the offsets, not counting the data buffers of views before it. */
  readonly buffer: number;
  readonly views: number;
  /** Bytes of one offset. */
  readonly width: 4 | 8;
}

/** The node of a field and its buffers, one after the other. */
export interface FieldPlace {
  readonly node: number;
  /** The first buffer, not counting the data buffers of views before it. */
  readonly buffer: number;
  /** Columns of views before it. */
  readonly views: number;
  /** For a dictionary-encoded field: of its indices. */
  readonly layout: BufferLayout;
}

export interface Plan {
  /** Every field that has a node. */
  readonly places: ReadonlyMap<Field, FieldPlace>;
  readonly nodes: number;
  /** Not counting the data buffers of views. */
  readonly buffers: number;
  readonly views: number;
  /** The nodes of the top-level columns. */
  readonly columns: readonly number[];
  /** In the order of their buffers. */
  readonly targets: readonly Target[];
}

/** Bytes of an offset of the lists whose values may be a tensor's. */
const WIDTHS: Readonly<Record<string, 4 | 8>> = { list: 4, large_list: 8 };

/** Flattens the schema for one metadata version. `paths` are those of the selection. */
export function planBatches(
  schema: Schema,
  paths: readonly (readonly Field[])[],
  dtypes: readonly Dtype[],
  version: 4 | 5,
  place: Place,
): Plan {
  const tensorOf = new Map(paths.map((path, tensor) => [path.at(-1)!, tensor]));
  const nodeOf = new Map<Field, number>();
  const listOf = new Map<Field, ListPlace>();
  const places = new Map<Field, FieldPlace>();
  const targets: Target[] = [];
  let nodes = 0;
  let buffers = 0;
  let views = 0;

  const flatten = (field: Field): void => {
    nodeOf.set(field, nodes);
    const node = nodes++;
    const layout = field.dictionary === null ? buffersOf(field.type, version) : INDICES;
    if (layout === null) {
      throw place.unsupported(`The column holds ${typeText(field)}, so its buffers cannot be counted`, {
        column: field.name,
        remedy: "Leave the column out, or update Sluice.",
      });
    }
    places.set(field, { node, buffer: buffers, views, layout });
    buffers += layout.validity ? 1 : 0;
    const width = WIDTHS[field.type.kind];
    if (width !== undefined) listOf.set(field, { node, buffer: buffers, views, width });
    const tensor = tensorOf.get(field);
    if (tensor !== undefined) {
      const elementBytes = BYTES_PER_ELEMENT[dtypes[tensor]!];
      targets.push({
        tensor,
        node,
        buffer: buffers,
        views,
        elementBytes,
        lengths: bonds(paths[tensor]!, nodeOf),
        lists: paths[tensor]!.flatMap((each) => listOf.get(each) ?? []),
        rows: listOf.get(paths[tensor]!.at(-2) ?? field) ?? null,
      });
    }
    buffers += layout.data;
    views += layout.variadic ? 1 : 0;
    // The children of a dictionary-encoded field are in its dictionary.
    if (field.dictionary === null) for (const child of field.children) flatten(child);
  };

  const columns = schema.fields.map((field) => {
    const node = nodes;
    flatten(field);
    return node;
  });
  return { places, nodes, buffers, views, columns, targets };
}

/**
 * What the columnar format demands of the lengths along a path: a struct's children and a fixed_size_list's values have
 * at least the slots of their parent (more is allowed, as in arrow/array/validate.cc: slices keep their tail).
 */
function bonds(path: readonly Field[], nodeOf: ReadonlyMap<Field, number>): number[] {
  const triples: number[] = [];
  for (let i = 1; i < path.length; i++) {
    const { type } = path[i - 1]!;
    const slots = type.kind === "fixed_size_list" ? type.size : type.kind === "struct" ? 1 : 0;
    if (slots > 0) triples.push(nodeOf.get(path[i]!)!, nodeOf.get(path[i - 1]!)!, slots);
  }
  return triples;
}
