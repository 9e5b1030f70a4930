/** @file How every module that computes in the arena imports it: as `env.memory`, shared, of whatever size it could be reserved. */
import type { ModuleAssembler } from "./assembler.ts";

/** Pages of 64 KiB in 4 GiB, the most that a 32-bit WebAssembly memory can have. */
export const MOST_PAGES = 65_536;

export function importArena(module: ModuleAssembler): void {
  module.importSharedMemory("env", "memory", 1, MOST_PAGES);
}
