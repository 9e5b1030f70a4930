/**
 * @file The microkernel of the matrix product: a tile of C stays in registers while k runs. As K. Goto and R. van de Geijn
 * have it ("Anatomy of High-Performance Matrix Multiplication", 2008), for vectors of four float32:
 *
 * ```text
 *                 B panel    b0 b1 b2 b3 | b4 b5 b6 b7        two loads for each k
 *   A rows   a0   a0 splat    C tile: c += a * b
 *            a1   a1 splat       6 rows x 2 vectors, 12 of the 15 registers that V8 gives out on x86-64
 *            …
 * ```
 *
 * Two habits of V8 shape it, or the tile is kept in memory, at half the speed. It puts all arithmetic of a basic block
 * behind all its loads: so one k is one block, and where products need registers of their own, the tile has 4 rows. And it
 * spills what branches behind the loop bring together again: so each of them ends by itself.
 */
import type { FunctionAssembler, ModuleAssembler } from "../assembler.ts";
import type { MultiplyAdd } from "../multiply-add.ts";
import { FLOAT_BYTES, PANEL_COLUMNS } from "./layout.ts";
import { increase, increaseBy, numbered } from "./writing.ts";

/** How A is read: by rows as they lie, a pointer for each; or a k at a time, its rows side by side. */
export type AccessToA = "rows" | "columns";

/** Tile rows, and values of k in one turn of the loop: as measured to be fastest. */
export const SHAPES: Readonly<Record<MultiplyAdd, { readonly rows: number; readonly unroll: number }>> = {
  relaxed: { rows: 6, unroll: 1 },
  plain: { rows: 4, unroll: 4 },
};

/** Parameters of a microkernel, all i32; addresses and strides in bytes. */
export const PARAMETERS = [
  "a",
  /** From row to row where A is read by rows, else from k to k. */
  "aStride",
  "b",
  "c",
  "cStride",
  /** What the sums are added to, if `added` is 1; if it is 0, they replace what is in C. */
  "from",
  "fromStride",
  "added",
  "k",
  /** Columns of C there are: more than those of all vectors but the last. */
  "columns",
] as const;

const P = numbered(PARAMETERS);
const VECTOR_BYTES = 16;
const LANES = 4;

export interface TileShape {
  readonly rows: number;
  /** Vectors of a row: 1 where the panel has up to 4 columns, 2 where it has more. */
  readonly vectors: number;
}

/** Adds a microkernel to the module. It writes C's `rows` rows and `columns` columns, and nothing else. */
export function writeMicrokernel(
  module: ModuleAssembler,
  { rows, vectors }: TileShape,
  access: AccessToA,
  path: MultiplyAdd,
): FunctionAssembler {
  const code = module.function(
    PARAMETERS.map(() => "i32"),
    [],
  );
  const tile = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => code.local("v128")));
  const fullColumns = vectors * LANES;
  writeProduct(code, tile, access, path);
  // The way that only stores comes last: after one that also loads, V8 would spill the tile (11.3).
  for (const partial of [false, true]) {
    code.block();
    if (!partial) code.get(P.columns).i32(fullColumns).op("i32.lt_u").brIf(0);
    code.block();
    code.get(P.added).op("i32.eqz").brIf(0);
    writeResult(code, tile, true, partial);
    code.return().end();
    writeResult(code, tile, false, partial);
    code.return().end();
  }
  return code;
}

type Tile = readonly (readonly number[])[];

/** Sums the products over k, from 0 upwards. */
function writeProduct(code: FunctionAssembler, tile: Tile, access: AccessToA, path: MultiplyAdd): void {
  const b = tile[0]!.map(() => code.local("v128"));
  const a = code.local("v128");
  const rows = tile.map(() => (access === "rows" ? code.local("i32") : P.a));
  if (access === "rows") {
    for (const row of rows) {
      code.get(P.a).set(row);
      increaseBy(code, P.a, P.aStride);
    }
  }
  const { unroll } = SHAPES[path];
  code.block().loop();
  for (let turn = 0; turn < unroll; turn++) {
    code.get(P.k).i32(turn).op("i32.eq").brIf(1);
    for (const [v, vector] of b.entries()) {
      const offset = turn * PANEL_COLUMNS * FLOAT_BYTES + v * VECTOR_BYTES;
      code.get(P.b).memory("v128.load", offset).set(vector);
    }
    for (const [i, row] of rows.entries()) {
      const offset = (access === "rows" ? turn : i) * FLOAT_BYTES;
      code.get(row).memory("v128.load32_splat", offset).set(a);
      for (const [v, sum] of tile[i]!.entries()) {
        if (path === "relaxed") code.get(a).get(b[v]!).get(sum).op("f32x4.relaxed_madd").set(sum);
        else code.get(sum).get(a).get(b[v]!).op("f32x4.mul").op("f32x4.add").set(sum);
      }
    }
    if (access === "columns") increaseBy(code, P.a, P.aStride);
  }
  if (access === "rows") for (const row of rows) increase(code, row, unroll * FLOAT_BYTES);
  increase(code, P.b, unroll * PANEL_COLUMNS * FLOAT_BYTES);
  increase(code, P.k, -unroll);
  code.br(0).end().end();
}

/** Stores the sums, of which the last vector's may be partial: it has its first lane then, and not its last. */
function writeResult(code: FunctionAssembler, tile: Tile, added: boolean, partial: boolean): void {
  for (const sums of tile) {
    const full = partial ? sums.slice(0, -1) : sums;
    for (const [v, sum] of full.entries()) {
      code.get(P.c);
      if (added) code.get(P.from).memory("v128.load", v * VECTOR_BYTES);
      code.get(sum);
      if (added) code.op("f32x4.add");
      code.memory("v128.store", v * VECTOR_BYTES);
    }
    code.block();
    for (let lane = 0; partial && lane < LANES - 1; lane++) {
      const column = full.length * LANES + lane;
      const least = column + 1;
      if (lane > 0) code.get(P.columns).i32(least).op("i32.lt_u").brIf(0);
      code.get(P.c);
      if (added) code.get(P.from).memory("v128.load32_splat", column * FLOAT_BYTES);
      code.get(sums.at(-1)!);
      if (added) code.op("f32x4.add");
      code.memory("v128.store32_lane", column * FLOAT_BYTES, lane);
    }
    code.end();
    increaseBy(code, P.c, P.cStride);
    if (added) increaseBy(code, P.from, P.fromStride);
  }
}
