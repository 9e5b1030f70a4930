/**
 * @file What this engine's WebAssembly can do, found out by asking it to validate tiny modules.
 *
 * ```ts
 * if (!hasSimd()) console.error("no SIMD");
 * ```
 */
import { UnsupportedError } from "../errors.ts";
import { type FunctionAssembler, ModuleAssembler } from "./assembler.ts";

/** 128-bit SIMD: in every Node from 16 on, unless the processor lacks SSE4.1 (x86-64) or Neon (arm64). */
export function hasSimd(): boolean {
  return validates((code) => code.v128(ZERO).op("drop"));
}

/** Relaxed SIMD, fused multiply-add above all: from Node 22 on; before, behind the flag `--experimental-wasm-relaxed-simd`. */
export function hasRelaxedSimd(): boolean {
  return validates((code) => code.v128(ZERO).v128(ZERO).v128(ZERO).op("f32x4.relaxed_madd").op("drop"));
}

/** Shared memory, which all threads compute in. */
export function hasThreads(): boolean {
  return (
    typeof SharedArrayBuffer === "function" &&
    validates(
      () => {},
      (module) => module.importSharedMemory("m", "m", 1, 1),
    )
  );
}

/** Throws UnsupportedError where kernels cannot run, and says what is missing. */
export function checkEngine(): void {
  const missing = [hasSimd() ? [] : ["SIMD"], hasThreads() ? [] : ["shared memory"]].flat();
  if (missing.length === 0) return;
  throw new UnsupportedError(`WebAssembly has no ${missing.join(" and no ")} here`, {
    remedy:
      "Use Node 20 or later, on a processor with SSE4.1 or Neon, without flags that turn WebAssembly features off.",
  });
}

const ZERO = new Uint8Array(16);

function validates(
  write: (code: FunctionAssembler) => void,
  declare?: (module: ModuleAssembler) => void,
): boolean {
  const module = new ModuleAssembler();
  declare?.(module);
  write(module.function([], []));
  return WebAssembly.validate(module.bytes());
}
