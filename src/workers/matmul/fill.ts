/** @file Fills the rows of a matrix, for products that begin with a number for each row. */
import type { ModuleAssembler } from "../assembler.ts";
import { FLOAT_BYTES } from "./layout.ts";
import { addMultiple, countUp, increase, increaseBy, localsOf, numbered } from "./writing.ts";

const LANES = 4;

/** Adds `fill(m, n, c, cStride, from)`: each row of C[m, n] becomes the number at `from` that stands for it. */
export function writeFill(module: ModuleAssembler): void {
  const names = ["m", "n", "c", "cStride", "from"] as const;
  const code = module.function(
    names.map(() => "i32"),
    [],
    "fill",
  );
  const p = numbered(names);
  const i = localsOf(code, ["row", "left", "to"]);
  const number = code.local("v128");
  countUp(code, i.row, p.m, 1, () => {
    code.get(p.from);
    addMultiple(code, i.row, FLOAT_BYTES);
    code.memory("v128.load32_splat").set(number);
    code.get(p.c).set(i.to).get(p.n).set(i.left);
    for (const [lanes, store] of [
      [LANES, "v128.store"],
      [1, "v128.store32_lane"],
    ] as const) {
      code.block().loop();
      code.get(i.left).i32(lanes).op("i32.lt_u").brIf(1);
      code.get(i.to).get(number).memory(store);
      increase(code, i.to, lanes * FLOAT_BYTES);
      increase(code, i.left, -lanes);
      code.br(0).end().end();
    }
    increaseBy(code, p.c, p.cStride);
  });
}
