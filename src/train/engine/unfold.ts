/**
 * @file The windows of images as a matrix, for convolution: one column for each place of the kernel, one row for each of its
 * elements (im2col; Chellapilla, Puri and Simard 2006). Loops in WebAssembly.
 *
 * ```text
 *   image [channels, height, width]  --unfold-->  matrix [channels * kernel height * kernel width, places]
 *                                    <--fold---   (what falls on the same pixel is added)
 * ```
 */
import { importArena } from "../../workers/arena-import.ts";
import { type FunctionAssembler, ModuleAssembler } from "../../workers/assembler.ts";
import { countUp, increase, localsOf, numbered } from "../../workers/matmul/writing.ts";
import type { Pair } from "../layers.ts";

/** Images that windows are taken of. */
export interface SlidingWindows {
  readonly channels: number;
  /** Height and width of the image, with its padding. */
  readonly plane: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  /** How many windows there are along each axis. */
  readonly places: Pair;
}

/** Addresses are in bytes, all other numbers are counts of float32s, as `argumentsOf` gives them. */
export interface UnfoldLoops {
  readonly unfold: (matrix: number, image: number, ...windows: readonly number[]) => void;
  /** Adds to the image. */
  readonly fold: (matrix: number, image: number, ...windows: readonly number[]) => void;
}

/** What `argumentsOf` gives, in this order. */
export const WINDOW_ARGUMENTS = [
  "channels",
  "kernelHeight",
  "kernelWidth",
  "rows",
  "columns",
  "line",
  "plane",
  "down",
  "across",
] as const;
const NAMES = ["matrix", "image", ...WINDOW_ARGUMENTS] as const;

/** The last arguments of the loops. */
export function argumentsOf({ channels, plane, kernel, stride, places }: SlidingWindows): readonly number[] {
  const [height, width] = plane;
  return [channels, ...kernel, ...places, width, height * width, stride[0] * width, stride[1]];
}

const FLOAT_BYTES = 4;
const LANES = 4;

/** A module that imports a shared memory as `env.memory` and exports `UnfoldLoops`. */
export function compileUnfoldLoops(): Uint8Array<ArrayBuffer> {
  const module = new ModuleAssembler();
  importArena(module);
  for (const name of ["unfold", "fold"] as const) {
    const parameters = NAMES.map(() => "i32" as const);
    writeLoops(module.function(parameters, [], name), name);
  }
  return module.bytes();
}

function writeLoops(code: FunctionAssembler, direction: "unfold" | "fold"): void {
  const given = numbered(NAMES);
  const own = localsOf(code, ["c", "ky", "kx", "y", "left", "ofPlane", "ofLine", "ofWindow", "row", "at"]);
  const { matrix, image, across } = given;
  const addFloats = (to: number, from: number, count: number): void => {
    code.get(from).get(count).i32(FLOAT_BYTES).op("i32.mul").op("i32.add").set(to);
  };
  /** One element or vector from the one to the other. */
  const move = (vector: boolean): void => {
    const [load, store] = vector
      ? (["v128.load", "v128.store"] as const)
      : (["v128.load32_zero", "v128.store32_lane"] as const);
    const [to, from] = direction === "unfold" ? [matrix, own.at] : [own.at, matrix];
    code.get(to).get(from).memory(load);
    if (direction === "fold") code.get(to).memory(load).op("f32x4.add");
    code.memory(store);
  };
  const inLine = (elements: number, vector: boolean): void => {
    code.block().loop();
    code.get(own.left).i32(elements).op("i32.lt_u").brIf(1);
    move(vector);
    increase(code, matrix, elements * FLOAT_BYTES);
    if (vector) increase(code, own.at, elements * FLOAT_BYTES);
    else addFloats(own.at, own.at, across);
    code.get(own.left).i32(elements).op("i32.sub").set(own.left);
    code.br(0).end().end();
  };
  code.get(image).set(own.ofPlane);
  countUp(code, own.c, given.channels, 1, () => {
    code.get(own.ofPlane).set(own.ofLine);
    countUp(code, own.ky, given.kernelHeight, 1, () => {
      code.get(own.ofLine).set(own.ofWindow);
      countUp(code, own.kx, given.kernelWidth, 1, () => {
        code.get(own.ofWindow).set(own.row);
        countUp(code, own.y, given.rows, 1, () => {
          code.get(own.row).set(own.at).get(given.columns).set(own.left);
          // Neighbours are neighbours in the image where the stride is 1.
          code.block();
          code.get(across).i32(1).op("i32.eq").op("i32.eqz").brIf(0);
          inLine(LANES, true);
          code.end();
          inLine(1, false);
          addFloats(own.row, own.row, given.down);
        });
        increase(code, own.ofWindow, FLOAT_BYTES);
      });
      addFloats(own.ofLine, own.ofLine, given.line);
    });
    addFloats(own.ofPlane, own.ofPlane, given.plane);
  });
}
