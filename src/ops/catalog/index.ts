/**
 * @file The ops that Sluice knows by itself, each as one expression. Its gradient is made from that expression, by the
 * rules of `derivatives.ts`.
 *
 * PyTorch on the CPU is the reference. What is made of straight pieces is equal to it bit for bit, for every float32
 * input, forward and backward, apart from the sign and payload of NaNs. What is not is computed in float64 and rounded
 * once, so it is closer to the true value than PyTorch is. Paths under `aten/` are files of PyTorch 2.13. Two of its
 * habits show here:
 * - `clamp`, `relu`, `relu6` and `hardtanh` compare and select (`std::max(x, lo)` returns x where both are equal), so
 *   -0 stays -0 and NaN passes; `max` of expr.ts would turn -0 into +0;
 * - a comparison with NaN is false, so the side that keeps x stands where the comparison fails.
 *
 * Where it differs on purpose:
 * - `sqrt` is correctly rounded; PyTorch built with Intel MKL is often one unit in the last place off;
 * - float16 takes every parameter as a float32; PyTorch rounds those of `add`, `sub` and `prelu` to float16 first;
 * - `silu`, `mish`, `gelu`, `hard_swish` and `softsign` have their limits at the infinities; PyTorch has NaN there.
 */
import { arithmetic } from "./arithmetic.ts";
import { elementary } from "./elementary.ts";
import { piecewise } from "./piecewise.ts";
import { rowWise } from "./row-wise.ts";
import { smooth } from "./smooth.ts";

export const catalog = { ...piecewise, ...smooth, ...rowWise, ...arithmetic, ...elementary } as const;
