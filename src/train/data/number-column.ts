/** @file A column of numbers of an Arrow schema, and where its rows are in each batch. */
import type { ColumnPlaces } from "../../formats/arrow/columnPlaces.ts";
import type { Field } from "../../formats/arrow/schema.ts";
import type { ChosenNumbers } from "./choose.ts";
import type { Bitmap, NumberColumn, NumberPlace } from "./column.ts";

/** @param first index of the path's first field among the places */
export function numberColumn(
  { field, path }: Pick<ChosenNumbers, "field" | "path">,
  places: ColumnPlaces,
  first: number,
  stored: Pick<NumberColumn, "name" | "file" | "position">,
): NumberColumn {
  const { type, shape, permutation, listWidth } = field;
  const size = shape.reduce((product, length) => product * length, 1);
  let order: Int32Array | null | undefined;
  return {
    ...{ kind: "numbers", ...stored, type, shape, size },
    order: () => (order ??= permutation && orderOf(shape, permutation)),
    list: listWidth && { width: listWidth, items: -1 },
    place: (batch) => placeOf(places, batch, path, first, listWidth !== null),
  };
}

function placeOf(
  places: ColumnPlaces,
  batch: number,
  path: readonly Field[],
  first: number,
  isList: boolean,
): NumberPlace {
  const outer: Bitmap[] = [];
  const inner: Bitmap[] = [];
  let [bits, inside, offsets, items] = [1, !isList, -1, 0];
  for (const [depth, { type }] of path.entries()) {
    const field = places.field(batch, first + depth);
    if (field.validity >= 0) (inside ? inner : outer).push({ at: field.validity, bits });
    if (type.kind === "fixed_size_list") bits *= type.size;
    if (type.kind === "list" || type.kind === "large_list") {
      inside = true;
      offsets = field.first;
      items = places.field(batch, first + depth + 1).slots;
    }
  }
  return { outer, inner, values: places.field(batch, first + path.length - 1).first, offsets, items };
}

/** Where each element of a row is in memory, where axis i of `shape` is axis `permutation[i]` there. */
function orderOf(shape: readonly number[], permutation: readonly number[]): Int32Array | null {
  if (permutation.every((axis, i) => axis === i)) return null;
  const strides = new Array<number>(shape.length).fill(1);
  const physical = permutation.map((_, axis) => shape[permutation.indexOf(axis)]!);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = strides[axis + 1]! * physical[axis + 1]!;
  const size = shape.reduce((product, length) => product * length, 1);
  return Int32Array.from({ length: size }, (_, index) => {
    let [rest, place] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (rest % shape[axis]!) * strides[permutation[axis]!]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return place;
  });
}
