/** @file Cuts matrices and parameters into the pieces that threads take. */
import type { ParameterPart } from "./layer.ts";
import type { Parameter } from "./parameters.ts";

/** Elements of a piece of an update: some microseconds, so that threads end together. */
export const UPDATE_WORK = 2 ** 13;

/** A rectangle of a matrix. */
export interface Tile {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

/** A matrix in tiles of at most `rows` and `columns`. */
export function tiles(allRows: number, allColumns: number, rows: number, columns: number): Tile[] {
  const all: Tile[] = [];
  for (let row = 0; row < allRows; row += rows) {
    for (let column = 0; column < allColumns; column += columns) {
      all.push({
        row,
        column,
        rows: Math.min(rows, allRows - row),
        columns: Math.min(columns, allColumns - column),
      });
    }
  }
  return all;
}

/** About `count`, as a multiple. */
export function share(count: number, multiple: number): number {
  return Math.max(1, Math.round(count / multiple)) * multiple;
}

/** A small parameter, in one piece. */
export function wholeOf(parameter: Parameter): ParameterPart {
  return { parameter, first: 0, rows: 1, columns: parameter.size, stride: parameter.size };
}

/** A parameter from which nothing else is made, in pieces. */
export function partsOf(parameter: Parameter): { readonly part: ParameterPart }[] {
  return tiles(1, parameter.size, 1, UPDATE_WORK).map(({ column, columns }) => ({
    part: { parameter, first: column, rows: 1, columns, stride: columns },
  }));
}
