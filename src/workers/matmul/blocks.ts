/**
 * @file The loops around the microkernel.
 *
 * ```text
 *   multiply   for each block of k          at most 512: 16 KiB of a panel of B stay in the first-level cache
 *                for each block of rows     96: 192 KiB of A stay in the second-level cache
 *                  for each panel of B      8 columns of C
 *   strip              for each tile        4 or 6 rows of C: the microkernel
 * ```
 */
import type { FunctionAssembler, ModuleAssembler } from "../assembler.ts";
import type { MultiplyAdd } from "../multiply-add.ts";
import { FLOAT_BYTES, PANEL_COLUMNS, PANEL_ROWS } from "./layout.ts";
import { type AccessToA, PARAMETERS, SHAPES, writeMicrokernel } from "./microkernel.ts";
import {
  addMultiple,
  addProduct,
  chooseByLeast,
  countUp,
  increase,
  increaseBy,
  localsOf,
  numbered,
  setLeft,
} from "./writing.ts";

/** A multiple of `PANEL_ROWS`. */
const BLOCK_ROWS = 8 * PANEL_ROWS;
const LANES = 4;

/** Parameters of `multiply`, all i32; addresses and strides in bytes. */
const MULTIPLY = [
  "m",
  "n",
  "k",
  /** The most of k that is summed from 0. */
  "depth",
  "a",
  /** From row to row where A is read by rows, else from k to k. */
  "aStride",
  /** From panel to panel, where A is read by columns. */
  "aPanelStride",
  "b",
  "bPanelStride",
  "c",
  "cStride",
  /** What the product is added to, if `added` is 1; if it is 0, the product replaces C. */
  "from",
  "fromStride",
  "added",
] as const;

/** Adds the functions of a product, and exports `multiply` under `name`. */
export function writeMultiply(
  module: ModuleAssembler,
  name: string,
  access: AccessToA,
  path: MultiplyAdd,
): void {
  const narrow = writeStrip(module, 1, access, path);
  const wide = writeStrip(module, 2, access, path);
  const code = module.function(
    MULTIPLY.map(() => "i32"),
    [],
    name,
  );
  const p = numbered(MULTIPLY);
  const i = localsOf(code, ["k", "depth", "block", "rows", "column", "columns"]);

  /** The arguments of a strip, in their order. */
  const callStrip = (strip: FunctionAssembler): void => {
    code.get(i.rows);
    code.get(p.a);
    if (access === "rows") {
      addProduct(code, i.block, p.aStride);
      addMultiple(code, i.k, FLOAT_BYTES);
    } else {
      code.get(i.block).i32(PANEL_ROWS).op("i32.div_u").get(p.aPanelStride).op("i32.mul").op("i32.add");
      addProduct(code, i.k, p.aStride);
    }
    code.get(p.aStride).get(p.aPanelStride);
    code.get(p.b);
    code.get(i.column).i32(PANEL_COLUMNS).op("i32.div_u").get(p.bPanelStride).op("i32.mul").op("i32.add");
    addMultiple(code, i.k, PANEL_COLUMNS * FLOAT_BYTES);
    code.get(p.c);
    addProduct(code, i.block, p.cStride);
    addMultiple(code, i.column, FLOAT_BYTES);
    code.get(p.cStride);
    code.get(p.from);
    addProduct(code, i.block, p.fromStride);
    addMultiple(code, i.column, FLOAT_BYTES);
    code.get(p.fromStride).get(p.added).get(i.depth).get(i.columns);
    code.call(strip);
  };

  // At least once: where k is 0, C becomes what the product is added to.
  code.loop();
  setLeft(code, i.depth, i.k, p.k, () => code.get(p.depth));
  countUp(code, i.block, p.m, BLOCK_ROWS, () => {
    setLeft(code, i.rows, i.block, p.m, () => code.i32(BLOCK_ROWS));
    countUp(code, i.column, p.n, PANEL_COLUMNS, () => {
      setLeft(code, i.columns, i.column, p.n, () => code.i32(PANEL_COLUMNS));
      chooseByLeast(
        code,
        i.columns,
        LANES + 1,
        () => callStrip(wide),
        () => callStrip(narrow),
      );
    });
  });
  // The other blocks of k are added to C.
  code.get(p.c).set(p.from).get(p.cStride).set(p.fromStride);
  code.i32(1).set(p.added);
  increaseBy(code, i.k, i.depth);
  code.get(i.k).get(p.k).op("i32.lt_u").brIf(0);
  code.end();
}

/** Parameters of a strip: those of a microkernel, with the rows and the distance of A's panels. */
const STRIP = [
  "rows",
  "a",
  "aStride",
  "aPanelStride",
  "b",
  "c",
  "cStride",
  "from",
  "fromStride",
  "added",
  "k",
  "columns",
] as const;

/** Adds the function that computes all rows of a block of one panel's columns, tile by tile. */
function writeStrip(
  module: ModuleAssembler,
  vectors: number,
  access: AccessToA,
  path: MultiplyAdd,
): FunctionAssembler {
  const most = SHAPES[path].rows;
  const kernels = Array.from({ length: most }, (_, i) =>
    writeMicrokernel(module, { rows: i + 1, vectors }, access, path),
  );
  const code = module.function(
    STRIP.map(() => "i32"),
    [],
  );
  const p = numbered(STRIP);
  const i = localsOf(code, ["row", "left"]);
  const callKernel = (rows: number): void => {
    for (const name of PARAMETERS) code.get(p[name]);
    code.call(kernels[rows - 1]!);
  };
  code.block().loop();
  code.get(p.rows).get(i.row).op("i32.sub").tee(i.left).i32(most).op("i32.lt_u").brIf(1);
  callKernel(most);
  increase(code, i.row, most);
  if (access === "rows") {
    code.get(p.a);
    addMultiple(code, p.aStride, most);
    code.set(p.a);
  } else {
    increase(code, p.a, most * FLOAT_BYTES);
    // Behind the last row of a panel of A comes the first one of the next.
    code.block();
    code.get(i.row).i32(PANEL_ROWS).op("i32.rem_u").brIf(0);
    code
      .get(p.a)
      .i32(PANEL_ROWS * FLOAT_BYTES)
      .op("i32.sub")
      .get(p.aPanelStride)
      .op("i32.add")
      .set(p.a);
    code.end();
  }
  for (const [pointer, stride] of [
    [p.c, p.cStride],
    [p.from, p.fromStride],
  ] as const) {
    code.get(pointer);
    addMultiple(code, stride, most);
    code.set(pointer);
  }
  code.br(0).end().end();
  for (let rows = most - 1; rows >= 1; rows--) {
    code.block();
    code.get(i.left).i32(rows).op("i32.eq").op("i32.eqz").brIf(0);
    callKernel(rows);
    code.end();
  }
  return code;
}
