/**
 * @file A WebGPU device in JavaScript: expressions step by step in float32, with the liberties that WGSL gives a device
 * (section 15.7, floating point evaluation).
 */
import type { Comparison, Num } from "../../src/ops/expr.ts";
import { binary, comparison } from "../../src/ops/steps.ts";
import { type Expr, postorder } from "../../src/ops/walk.ts";

export interface Liberties {
  /** Subnormal numbers are 0, as operands and as results. */
  readonly flushes: boolean;
  /** A product that is added or subtracted is not rounded before. */
  readonly fuses: boolean;
  /** How many units in the last place a quotient or a root may be off beside its rounding. */
  readonly quotient: number;
  readonly root: number;
}

/** None are taken: IEEE 754 with gradual underflow, as the software adapter has it but for subnormal numbers. */
export const STRICT: Liberties = { flushes: false, fuses: false, quotient: 0, root: 0 };
/** All that WGSL allows: 2.5 units for a quotient; a root is one over an inverse root, which may be off by 2 units. */
export const LOOSE: Liberties = { flushes: true, fuses: true, quotient: 2, root: 4 };

/** The value of an expression without functions for each element of its inputs. */
export function simulate(output: Num, inputs: readonly Float32Array[], liberties: Liberties): Float32Array {
  return Float32Array.from(nodeValues(output, inputs, liberties).get(output)!);
}

/** For which elements no step of the expression gives or takes a subnormal number: 1 or 0. */
export function staysNormal(output: Num, inputs: readonly Float32Array[]): Uint8Array {
  const stays = new Uint8Array(inputs[0]!.length).fill(1);
  for (const values of nodeValues(output, inputs, STRICT).values()) {
    for (const [i, value] of values.entries()) if (Math.abs(value) < 2 ** -126 && value !== 0) stays[i] = 0;
  }
  return stays;
}

function nodeValues(
  output: Num,
  inputs: readonly Float32Array[],
  { flushes, fuses, quotient, root }: Liberties,
): ReadonlyMap<Expr, Float64Array> {
  const order = postorder(output);
  const { length } = inputs[0]!;
  const round = flushes ? flushed : Math.fround;
  let state = 1;
  /** Off by a random part of so many units of 2^-24. */
  const off = (value: number, units: number): number => {
    if (units === 0) return value;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return value * (1 + (state / 2 ** 31 - 1) * units * 2 ** -24);
  };
  const numbers = new Map<Expr, Float64Array>();
  for (const node of order) {
    const out = new Float64Array(length);
    numbers.set(node, out);
    const of = (operand: Expr): Float64Array => numbers.get(operand)!;
    const each = (value: (i: number) => number): void => {
      for (let i = 0; i < length; i++) out[i] = round(value(i));
    };
    switch (node.kind) {
      case "const":
        out.fill(round(node.value));
        break;
      case "input": {
        const from = inputs[node.index]!;
        each((i) => from[i]!);
        break;
      }
      case "unary": {
        const x = of(node.x);
        const fn = unary[node.fn];
        if (!fn) throw new Error(`${node.fn} is left`);
        each(node.fn === "sqrt" ? (i) => off(fn(x[i]!), root) : (i) => fn(x[i]!));
        break;
      }
      case "binary": {
        const [a, b] = [of(node.a), of(node.b)];
        const fn = binary[node.fn as keyof typeof binary];
        const sign = node.fn === "sub" ? -1 : 1;
        const isSum = node.fn === "add" || node.fn === "sub";
        const [p, q] = [node.a, node.b].map((each) =>
          fuses && isSum && each.kind === "binary" && each.fn === "mul" ? each : undefined,
        );
        if (p) each((i) => of(p.a)[i]! * of(p.b)[i]! + sign * b[i]!);
        else if (q) each((i) => a[i]! + sign * of(q.a)[i]! * of(q.b)[i]!);
        else if (node.fn === "div") each((i) => off(a[i]! / b[i]!, quotient));
        else each((i) => fn(a[i]!, b[i]!));
        break;
      }
      case "compare": {
        const [a, b] = [of(node.a), of(node.b)];
        const fn = comparison[node.fn as Comparison];
        each((i) => (fn(a[i]!, b[i]!) ? 1 : 0));
        break;
      }
      case "where": {
        const [test, a, b] = [of(node.test), of(node.a), of(node.b)];
        for (let i = 0; i < length; i++) out[i] = (test[i]! ? a : b)[i]!;
        break;
      }
      default:
        throw new Error(`${node.kind} cannot be simulated`);
    }
  }
  return numbers;
}

function flushed(value: number): number {
  const rounded = Math.fround(value);
  return Math.abs(rounded) < 2 ** -126 ? rounded * 0 : rounded;
}

const exponent = (x: number): number => {
  const size = Math.abs(x);
  let e = Math.floor(Math.log2(size));
  if (2 ** e > size) e--;
  if (2 ** (e + 1) <= size) e++;
  return e;
};

const unary: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  round(x) {
    const rounded = Math.round(x);
    return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
  },
  pow2: (n) => (n <= -127 ? 0 : 2 ** n),
  exponent,
  significand: (x) => Math.abs(x) / 2 ** exponent(x),
};
