/**
 * @file Four lanes of float32 as two vectors of float64 and back, and four float64 to float16, rounded once.
 *
 * ```text
 *   float32   a b c d   --promote-->   a b | c d   --compute-->   p q | r s   --demote-->   p q r s
 * ```
 */
import { narrowHalf } from "./float16-simd.ts";
import type { Value, VectorCode } from "./vector-code.ts";

/** Lanes 0 and 1 (`half` 0) or 2 and 3 (`half` 1) of float32 as float64. Exact. */
export function promote(code: VectorCode, value: Value, half: 0 | 1): Value {
  const low = half === 0 ? value : code.shuffle(value, value, [1, 1]);
  return code.apply("f64x2.promote_low_f32x4", low);
}

/** Four float64 as float32, rounded to nearest even. */
export function demote(code: VectorCode, low: Value, high: Value): Value {
  const [a, b] = [low, high].map((half) => code.apply("f32x4.demote_f64x2_zero", half)) as [Value, Value];
  return code.shuffle(a, b, [0, 2]);
}

/**
 * Four float64 as float16, as `narrowHalf` leaves them. An inexact float32 is made odd on the way, so that nothing is
 * rounded twice (see `float64ToFloat16`).
 */
export function demoteToHalf(code: VectorCode, low: Value, high: Value): Value {
  const near = demote(code, low, high);
  const compare = (op: "f64x2.ne" | "f64x2.lt", of: (value: Value) => Value): Value => {
    const [a, b] = ([low, high] as const).map((exact, half) =>
      code.apply(op, of(exact), of(promote(code, near, half as 0 | 1))),
    ) as [Value, Value];
    return code.shuffle(a, b, [0, 2, 4, 6]);
  };
  const magnitude = (value: Value): Value => code.apply("v128.andnot", value, code.literal("f64", -0));
  const inexact = compare("f64x2.ne", (value) => value);
  const roundedUp = compare("f64x2.lt", magnitude);
  // A comparison that holds is -1 as an integer. NaN is not equal to itself, and stays a NaN when it is made odd.
  const down = code.apply("i32x4.add", near, roundedUp);
  const odd = code.apply("v128.or", down, code.apply("v128.and", inexact, code.literal("i32", 1)));
  return narrowHalf(code, odd);
}
