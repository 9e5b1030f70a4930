/**
 * @file An activation of your own: one expression, and it runs like those of the catalog, in SIMD, fused, on every core.
 *
 *     npx tsx examples/define-op.ts
 */
import { join } from "node:path";
import { add, clamp, defineOp, div, mul, transform } from "sluice";
import { sampleDirectory } from "./sample.ts";

/** Hard mish: x * clamp(x + 2, 0, 2) / 2, by H. Yashima; mish made of straight pieces. */
const hardMish = defineOp(
  "hard_mish",
  { shift: 2 },
  (x, { shift }) => div(mul(x, clamp(add(x, shift), 0, 2)), 2),
  { summary: "x times a ramp from 0 to 1." },
);

console.log(hardMish.definition.formula);
console.log(hardMish(Float32Array.of(-4, -1, 0, 1, 4)));

// In a chain it goes by its name, beside the others.
const directory = sampleDirectory();
const result = await transform(join(directory, "in.npy"), join(directory, "out.npy"), {
  ops: "mul(4) | hard_mish(shift=1) | leaky_relu",
});
console.log(`${result.ops}: ${result.elements} elements`);
