/** @file What is judged: the product's own kernels, one op or its derivative at a time. */
import { createHash } from "node:crypto";
import { backward } from "../src/ops/backward.ts";
import type { Dtype } from "../src/ops/dtype.ts";
import type { ElementArrays } from "../src/ops/evaluate.ts";
import { fuse } from "../src/ops/fuse.ts";
import { parseChain } from "../src/ops/parse.ts";
import type { Program } from "../src/ops/program.ts";
import { compileKernel } from "../src/workers/compile.ts";
import { computeInline } from "../src/workers/inline.ts";
import type { Side } from "./rows.ts";

/** One op or its derivative for one type. */
export interface Subject<D extends Dtype> {
  /** Equal for equal code. */
  readonly fingerprint: string;
  compute(from: ElementArrays[D], to: ElementArrays[D]): void;
}

export function subjectOf<D extends Dtype>(ops: string, side: Side, dtype: D): Subject<D> {
  const chain = parseChain(ops);
  const program = side === "forward" ? fuse(chain) : withoutSums(backward(chain));
  return {
    fingerprint: createHash("sha256").update(compileKernel(program, dtype)).digest("hex").slice(0, 16),
    compute: (from, to) => {
      const inputs = side === "forward" ? [from] : [from, ones(dtype, from.length)];
      computeInline(program, dtype, inputs, to, null);
    },
  };
}

/** Only dx: the gradients of parameters are judged elsewhere. */
function withoutSums(program: Program): Program {
  return { ...program, sums: [], key: `${program.key}; dx only` };
}

const known = new Map<string, ElementArrays[Dtype]>();
const FLOAT16_ONE = 0x3c00;

/** The upstream gradient. */
function ones<D extends Dtype>(dtype: D, length: number): ElementArrays[D] {
  const key = `${dtype} ${length}`;
  const array = known.get(key) ?? makeOnes(dtype, length);
  known.set(key, array);
  return array as ElementArrays[D];
}

function makeOnes(dtype: Dtype, length: number): ElementArrays[Dtype] {
  if (dtype === "float16") return new Uint16Array(length).fill(FLOAT16_ONE);
  return (dtype === "float32" ? new Float32Array(length) : new Float64Array(length)).fill(1);
}
