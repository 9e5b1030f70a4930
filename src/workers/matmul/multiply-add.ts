/**
 * @file Which multiply-add matrix products are made of: the fused one of relaxed SIMD, or a product and a sum.
 *
 * The fused one rounds once, so the two differ in last bits: whoever promises bits says which it was.
 */
import { setFlagsFromString } from "node:v8";
import { ModuleAssembler } from "../assembler.ts";
import { hasRelaxedSimd } from "../simd.ts";

/** `relaxed`: f32x4.relaxed_madd, which is fused on this processor; `plain`: f32x4.mul and f32x4.add. */
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
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = new ModuleAssembler();
  module.importSharedMemory("env", "memory", 1, 1);
  const code = module.function([], [], "run");
  const load = (index: number): void => void code.i32(0).memory("v128.load32_splat", 4 * index);
  code.i32(0);
  for (const index of [0, 0, 1]) load(index);
  code.op("f32x4.relaxed_madd").memory("v128.store");
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } })
    .exports;
  const numbers = new Float32Array(memory.buffer);
  // (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24, whose second term the product alone loses.
  numbers.set([1 + 2 ** -12, -1]);
  (run as () => void)();
  return numbers[0] === 2 ** -11 + 2 ** -24;
}
