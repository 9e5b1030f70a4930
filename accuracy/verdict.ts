/** @file What the judge says of a job, and what the parts of one row add up to. */
import type { Dtype } from "../src/ops/dtype.ts";
import { float64LimitOf, limitOf, type Row, type Side } from "./rows.ts";

/** A line of `reference/judge.cpp`. Numbers are text in C's hexadecimal form. */
export interface Verdict {
  readonly job: string;
  /** Largest error in units in the last place, the input where it is, and the result there. */
  readonly error: string;
  readonly input: string;
  readonly result: string;
  /** float16: results that are not the nearest number, and the first such input. */
  readonly misrounded: number;
  readonly misroundedAt: string;
  /** Zeros with the wrong sign, of those compared, and the first such input. */
  readonly zeroSigns: number;
  readonly zeroSignAt: string;
  /** Results at infinities and NaN that are not the limit; the first such input, and the result there. */
  readonly strays: number;
  readonly strayAt: string;
  readonly stray: string;
}

/** All that is known of an op or its derivative. */
export interface Result {
  readonly ops: string;
  readonly side: Side;
  /** Of the kernels that were judged. */
  readonly fingerprint: string;
  readonly verdicts: Readonly<Record<Dtype, Verdict>>;
}

/** The verdict on all parts of a row. */
export function merge(parts: readonly Verdict[]): Verdict {
  return parts.reduce((a, b) => {
    const worst = errorOf(b.error) > errorOf(a.error) ? b : a;
    return {
      ...worst,
      misrounded: a.misrounded + b.misrounded,
      misroundedAt: a.misrounded > 0 ? a.misroundedAt : b.misroundedAt,
      zeroSigns: a.zeroSigns + b.zeroSigns,
      zeroSignAt: a.zeroSigns > 0 ? a.zeroSignAt : b.zeroSignAt,
      strays: a.strays + b.strays,
      strayAt: a.strays > 0 ? a.strayAt : b.strayAt,
      stray: a.strays > 0 ? a.stray : b.stray,
    };
  });
}

/** What breaks a promise, in words; empty where all is well. */
export function complaints(row: Row, { side, verdicts }: Result): string[] {
  const { float16, float32, float64 } = verdicts;
  const said: string[] = [];
  const off = (type: Dtype, limit: number, { error, input, result }: Verdict): void => {
    if (errorOf(error) > limit)
      said.push(`${type}: ${error} ulp at ${input} (result ${result}), limit ${limit}`);
  };
  off("float32", limitOf(row, side), float32);
  off("float64", float64LimitOf(row, side), float64);
  // Plain arithmetic rounds to float32 at each step, as in PyTorch, before it rounds to float16.
  if (float16.misrounded > 0 && !row.stepwise)
    said.push(`float16: ${float16.misrounded} not correctly rounded, the first at ${float16.misroundedAt}`);
  for (const [type, { strays, strayAt, stray }] of Object.entries(verdicts))
    if (strays > 0) said.push(`${type}: ${stray} at ${strayAt}, which is not the limit`);
  return said;
}

/** As C prints it: `inf` where a number was due and there is none. */
export const errorOf = (text: string): number => (text === "inf" ? Number.POSITIVE_INFINITY : Number(text));

/** A number in C's hexadecimal form, `-0x1.8p+1`, `inf` or `nan`. */
export function parseHex(text: string): number {
  const match = /^(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]\d+)$/.exec(text);
  if (!match) return Number(text.replace("inf", "Infinity"));
  const [, sign, whole, digits = "", exponent] = match;
  const significand = Number.parseInt(whole! + digits, 16) / 16 ** digits.length;
  // In two steps: 2^-1074 is a number, 2^1074 is not.
  const half = Math.trunc(Number(exponent) / 2);
  const value = significand * 2 ** half * 2 ** (Number(exponent) - half);
  return sign === "-" ? -value : value;
}
