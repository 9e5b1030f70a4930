/**
 * @file a * b + c of float64 rounded once, in kernels: the multiply-add of relaxed SIMD where it is fused, and elsewhere a
 * function of the kernel's module, which takes the steps of `ops/fma.ts`. The bits are the same.
 */
import { LEAST_PRODUCT, MOST_PRODUCT } from "../ops/fma.ts";
import type { FunctionAssembler, ModuleAssembler } from "./assembler.ts";
import { Emitter } from "./emit.ts";
import { type MultiplyAdd, multiplyAdd } from "./multiply-add.ts";
import { type FusedOp, type Value, VectorCode } from "./vector-code.ts";

/** Writes one multiply-add: a, b and c are on the stack, and leave it for the result. */
export type WriteFma = (code: FunctionAssembler, op: FusedOp) => void;

/**
 * The multiply-adds of one module. Nothing is probed or written before the first of them.
 *
 * @param path left out, the faster one that there is
 */
export function fmaOf(module: ModuleAssembler, path?: MultiplyAdd): WriteFma {
  const emulations = new Map<FusedOp, FunctionAssembler>();
  return (code, op) => {
    if ((path ?? multiplyAdd()) === "relaxed") {
      code.op(op === "fma" ? "f64x2.relaxed_madd" : "f64x2.relaxed_nmadd");
      return;
    }
    const emulation = emulations.get(op) ?? writeEmulation(module, op);
    emulations.set(op, emulation);
    code.call(emulation);
  };
}

function writeEmulation(module: ModuleAssembler, op: FusedOp): FunctionAssembler {
  const code = module.function(["v128", "v128", "v128"], ["v128"]);
  const graph = new VectorCode();
  const [a, b, c] = [graph.load(0), graph.load(1), graph.load(2)];
  const factor = op === "fma" ? a : graph.apply("v128.xor", a, graph.literal("f64", -0));
  const result = emulate(graph, factor, b, c);
  const emitter = new Emitter(code);
  // Literals stay where they are used: in locals, every call would fill them.
  emitter.emit([{ value: result, after: () => {} }], ({ index }) => void code.get(index));
  return code;
}

/** The names are those of `ops/fma.ts`. */
function emulate(code: VectorCode, a: Value, b: Value, c: Value): Value {
  const add = (p: Value, q: Value): Value => code.apply("f64x2.add", p, q);
  const sub = (p: Value, q: Value): Value => code.apply("f64x2.sub", p, q);
  const mul = (p: Value, q: Value): Value => code.apply("f64x2.mul", p, q);
  const f64 = (value: number): Value => code.literal("f64", value);
  const sizeOf = (p: Value): Value => code.apply("v128.andnot", p, f64(-0));
  const lostBy = (p: Value, q: Value, sum: Value): Value => {
    const part = sub(sum, p);
    return add(sub(p, sub(sum, part)), sub(q, part));
  };
  // The upper 26 digits, rounded on the bits: nothing overflows.
  const topOf = (p: Value): Value =>
    code.apply("v128.andnot", code.apply("i64x2.add", p, f64(HALF_OF_LOWER)), f64(LOWER));

  const high = mul(a, b);
  const [aTop, bTop] = [topOf(a), topOf(b)];
  const [aRest, bRest] = [sub(a, aTop), sub(b, bTop)];
  const crossed = add(add(sub(mul(aTop, bTop), high), mul(aTop, bRest)), mul(aRest, bTop));
  const low = add(crossed, mul(aRest, bRest));
  const s = add(c, low);
  const t = lostBy(c, low, s);
  const u = add(high, s);
  const v = lostBy(high, s, u);

  const sum = add(v, t);
  const lost = lostBy(v, t, sum);
  // 1 where the signs differ: one step towards 0.
  const down = code.shift("i64x2.shr_u", code.apply("v128.xor", sum, lost), 63);
  const odd = code.apply("v128.or", code.apply("i64x2.sub", sum, down), f64(LAST_BIT));
  const inexact = code.apply("f64x2.ne", lost, f64(0));
  const exact = add(u, code.apply("v128.bitselect", odd, sum, inexact));

  const atMost = (p: Value, most: number): Value => code.apply("f64x2.le", p, f64(most));
  const size = sizeOf(high);
  const isBetween = code.apply("v128.and", atMost(size, MOST_PRODUCT), atMost(sizeOf(c), MOST_PRODUCT));
  const isInRange = code.apply("v128.and", isBetween, code.apply("f64x2.le", f64(LEAST_PRODUCT), size));
  return code.apply("v128.bitselect", exact, add(high, c), isInRange);
}

/** Float64s by their bits, as numbers below the normal ones. */
const LAST_BIT = 2 ** -1074;
const LOWER = (2 ** 27 - 1) * LAST_BIT;
const HALF_OF_LOWER = 2 ** 26 * LAST_BIT;
