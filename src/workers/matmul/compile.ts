/** @file The module of the matrix product: products by rows and by columns of A, and packing. */
import { importArena } from "../arena-import.ts";
import { ModuleAssembler } from "../assembler.ts";
import type { MultiplyAdd } from "../multiply-add.ts";
import { writeMultiply } from "./blocks.ts";
import { writeFill } from "./fill.ts";
import { PANEL_COLUMNS, PANEL_ROWS } from "./layout.ts";
import { writePack } from "./pack.ts";

/** As it crosses to a worker: plain data. */
export interface MatmulCode {
  readonly path: MultiplyAdd;
  /** The module's bytes. Equal bytes are compiled once in a process, however many threads ask. */
  readonly code: Uint8Array<ArrayBuffer>;
}

/** What the module exports; all arguments are unsigned 32-bit integers, in the order of `blocks.ts`, `fill.ts` and `pack.ts`. */
export interface MatmulFunctions {
  readonly multiplyRows: (...args: number[]) => void;
  readonly multiplyColumns: (...args: number[]) => void;
  readonly fill: (...args: number[]) => void;
  readonly packBAcross: (...args: number[]) => void;
  readonly packBAlong: (...args: number[]) => void;
  readonly packAAcross: (...args: number[]) => void;
  readonly packAAlong: (...args: number[]) => void;
}

/** A module that imports a shared memory as `env.memory` and exports `MatmulFunctions`. */
export function compileMatmul(path: MultiplyAdd): MatmulCode {
  const module = new ModuleAssembler();
  importArena(module);
  writeMultiply(module, "multiplyRows", "rows", path);
  writeMultiply(module, "multiplyColumns", "columns", path);
  writeFill(module);
  writePack(module, "packBAcross", "across", PANEL_COLUMNS);
  writePack(module, "packBAlong", "along", PANEL_COLUMNS);
  writePack(module, "packAAcross", "across", PANEL_ROWS);
  writePack(module, "packAAlong", "along", PANEL_ROWS);
  return { path, code: module.bytes() };
}
