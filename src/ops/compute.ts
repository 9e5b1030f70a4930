/** @file In which type a program is computed, and the arithmetic that backends compute for it. */
import type { Dtype } from "./dtype.ts";
import { expand, isTranscendental } from "./expand.ts";
import { isBits, type Num } from "./expr.ts";
import type { Program } from "./program.ts";
import { type Expr, operands, postorder } from "./walk.ts";

export type ComputeType = "float32" | "float64";

/** What a backend computes for a program and a dtype: arithmetic, with one compute type for all of it. */
export interface Computation {
  readonly compute: ComputeType;
  readonly output: Num;
  /** The terms of the program's sums; always computed in float64. */
  readonly terms: readonly Num[];
}

const known = new WeakMap<Program, Map<Dtype, Computation>>();

export function computationOf(program: Program, dtype: Dtype): Computation {
  const byDtype = known.get(program) ?? new Map<Dtype, Computation>();
  known.set(program, byDtype);
  let computation = byDtype.get(dtype);
  if (!computation) {
    const single = dtype === "float32" && !(program.precise && mayCancel(program.output));
    computation = {
      compute: computeType(program, dtype),
      output: expand(program.output, single ? "single" : "double"),
      // A sum over billions of elements has more digits than any one of them.
      terms: program.sums.map(({ term }) => expand(term, "double")),
    };
    byDtype.set(dtype, computation);
  }
  return computation;
}

/**
 * Float32 is enough for float16 and float32 where no function is named: then every step rounds as it does in PyTorch.
 * Functions are computed in float64 and rounded once. So are derivatives, unless they are piecewise linear in their
 * inputs: their terms may cancel each other.
 */
function computeType({ output, precise, inputs }: Program, dtype: Dtype): ComputeType {
  if (dtype === "float64") return "float64";
  const order = postorder(output);
  if (order.some(isBeyondArithmetic)) return "float64";
  return precise && !isPiecewiseLinear(order, inputs) ? "float64" : "float32";
}

/**
 * Whether a function's value is added to something, or taken from it: then little but its error may be left. The
 * gradient of sigmoid, `dy * sigmoid(x) * sigmoid(-x)`, keeps its digits; that of gelu is 0 somewhere.
 */
function mayCancel(output: Num): boolean {
  const inexact = new Set<Expr>();
  for (const node of postorder(output)) {
    const reads = operands(node).some((operand) => inexact.has(operand));
    if (
      reads &&
      (node.kind === "reduce" ||
        node.kind === "fma" ||
        (node.kind === "binary" && (node.fn === "add" || node.fn === "sub")))
    ) {
      return true;
    }
    if (reads || isBeyondArithmetic(node)) inexact.add(node);
  }
  return false;
}

function isBeyondArithmetic(node: Expr): boolean {
  if (node.kind === "reduce" || node.kind === "rowLength" || node.kind === "fma") return true;
  if (node.kind === "unary") return isTranscendental(node.fn) || isBits(node.fn);
  return node.kind === "binary" && node.fn === "pow";
}

/** Whether no product, quotient or root bends it. Channel parameters vary, but not with the data. */
function isPiecewiseLinear(order: readonly Expr[], inputs: number): boolean {
  const varying = new Set<Expr>();
  for (const node of order) {
    if (node.kind === "input" && node.index < inputs) varying.add(node);
    if (node.kind === "compare" || !operands(node).some((operand) => varying.has(operand))) continue;
    if (node.kind === "unary" && node.fn === "sqrt") return false;
    if (node.kind === "binary" && node.fn === "mul" && varying.has(node.a) && varying.has(node.b))
      return false;
    if (node.kind === "binary" && node.fn === "div" && varying.has(node.b)) return false;
    varying.add(node);
  }
  return true;
}
