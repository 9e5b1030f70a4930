/**
 * @file Which multiply-add kernels are made of: that of relaxed SIMD, which is fused, or one of products and sums.
 *
 * Matrix products take one product and one sum for the plain one, so the two differ in last bits, and whoever promises bits
 * says which it was. Functions take an exact emulation (`fma.ts`), so theirs differ in speed alone.
 */
import { setFlagsFromString } from "node:v8";
import { ModuleAssembler } from "./assembler.ts";
import { hasRelaxedSimd } from "./simd.ts";

/** `relaxed`: f32x4.relaxed_madd and f64x2.relaxed_madd, which are fused on this processor; `plain`: what all engines have. */
export type MultiplyAdd = "relaxed" | "plain";

/** The environment variable that chooses: `plain` forces the plain one. */
const CHOICE = "SLUICE_MULTIPLY_ADD";

let known: MultiplyAdd | undefined;

/** The faster one that this engine and this processor have; asked for once, by the main thread, before workers compile. */
export function multiplyAdd(): MultiplyAdd {
  known ??= process.env[CHOICE] !== "plain" && isFused() ? "relaxed" : "plain";
  return known;
}

/** Whether relaxed multiply-add is there and rounds once: the proposal allows either. */
function isFused(): boolean {
  // In Node 20 relaxed SIMD is finished but behind this flag. Flags hold for the process, workers too, and for modules
  // compiled from now on; without relaxed SIMD the flag does not exist, which V8 takes no offence at.
  if (!hasRelaxedSimd()) setFlagsFromString("--experimental-wasm-relaxed-simd");
  if (!hasRelaxedSimd()) return false;
  // (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24, whose second term the product alone loses; and the same in float64.
  return (
    squareLess1("f32x4", 1 + 2 ** -12) === 2 ** -11 + 2 ** -24 &&
    squareLess1("f64x2", 1 + 2 ** -30) === 2 ** -29 + 2 ** -60
  );
}

/** x * x - 1 by one multiply-add. */
function squareLess1(lanes: "f32x4" | "f64x2", x: number): number {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const numbers = lanes === "f32x4" ? new Float32Array(memory.buffer) : new Float64Array(memory.buffer);
  const load = lanes === "f32x4" ? "v128.load32_splat" : "v128.load64_splat";
  const module = new ModuleAssembler();
  module.importSharedMemory("env", "memory", 1, 1);
  const code = module.function([], [], "run");
  code.i32(0);
  for (const index of [0, 0, 1]) code.i32(0).memory(load, numbers.BYTES_PER_ELEMENT * index);
  code.op(`${lanes}.relaxed_madd`).memory("v128.store");
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } })
    .exports;
  numbers.set([x, -1]);
  (run as () => void)();
  return numbers[0]!;
}
