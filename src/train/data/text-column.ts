/** @file A column of strings of Arrow. */
import type { ColumnPlaces } from "../../formats/arrow/columnPlaces.ts";
import type { Field } from "../../formats/arrow/schema.ts";
import type { Bitmap, TextColumn } from "./column.ts";

/** `index` is that of the field among the places; `outerOf` gives its validity bitmaps. */
export function textColumn(
  stored: Pick<TextColumn, "name" | "file" | "position">,
  { type }: Field,
  places: ColumnPlaces,
  index: number,
  outerOf: (batch: number) => readonly Bitmap[],
): TextColumn {
  const storage = type.kind === "utf8_view" ? "view" : ({ width: type.kind === "utf8" ? 4 : 8 } as const);
  return {
    kind: "text",
    ...stored,
    storage,
    place: (batch) => {
      const { first, second, secondBytes } = places.field(batch, index);
      const data = storage === "view" ? places.views(batch, index) : [[second, secondBytes] as const];
      return { outer: outerOf(batch), first, data };
    },
  };
}
