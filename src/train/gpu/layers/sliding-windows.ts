/**
 * @file Where the windows of an image lie, as text of kernels. gpu.js makes floats of the integers that it keeps in variables;
 * rows, columns and channels are small enough to be exact, and `| 0` makes integers of them again.
 */
import type { KernelText } from "../../../gpu/source.ts";
import type { Pair } from "../../layers.ts";
import { type Layer, sizeOf } from "../../network.ts";

export interface SlidingWindows {
  /** [channels, height, width] */
  readonly input: Image;
  readonly output: Image;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
}

export interface Image {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Of all of it. */
  readonly size: number;
}

export function windowsOf({ spec, inShape, outShape }: Layer): SlidingWindows {
  if (spec.kind !== "conv2d" && spec.kind !== "max_pool" && spec.kind !== "avg_pool") {
    throw new TypeError(`${spec.kind} has no windows`);
  }
  const { kernel, stride, padding } = spec;
  return { input: imageOf(inShape), output: imageOf(outShape), kernel, stride, padding };
}

function imageOf(shape: readonly number[]): Image {
  const [channels, height, width] = shape as [number, number, number];
  return { channels, height, width, size: sizeOf(shape) };
}

/** Declares `channel`, `row` and `column` of element `this.thread.x` of an image. */
export function placeLines(text: KernelText, { height, width }: Image): string[] {
  const x = "this.thread.x";
  return [
    `const channel = ${text.quotient(x, height * width)};`,
    `const row = ${text.quotient(text.remainder(x, height * width), width)};`,
    `const column = ${text.remainder(x, width)};`,
  ];
}

/** Goes over the kernel's places `(ky, kx)`. */
function overKernel([height, width]: Pair, body: readonly string[]): string[] {
  return [
    `for (let ky = 0; ky < ${height}; ky++) {`,
    `for (let kx = 0; kx < ${width}; kx++) {`,
    ...body,
    "}",
    "}",
  ];
}

/** Where place (ky, kx) of the window of output place (`row`, `column`) lies in the input. */
export function inputAt(
  { stride, padding }: SlidingWindows,
  row: string,
  column: string,
  ky = "ky",
  kx = "kx",
): [y: string, x: string] {
  return [
    `(${row} * ${stride[0]} + ${ky} - ${padding[0]})`,
    `(${column} * ${stride[1]} + ${kx} - ${padding[1]})`,
  ];
}

/** A condition: otherwise it is in the padding. */
export const isInside = ({ height, width }: Image, y: string, x: string): string =>
  `${y} >= 0 && ${y} < ${height} && ${x} >= 0 && ${x} < ${width}`;

/** Lines for each place of the kernel that lies inside the input. */
export function overWindow(
  windows: SlidingWindows,
  row: string,
  column: string,
  body: (y: string, x: string) => readonly string[],
): string[] {
  const [y, x] = inputAt(windows, row, column);
  return overKernel(windows.kernel, [`if (${isInside(windows.input, y, x)}) {`, ...body(y, x), "}"]);
}

/** Lines for each window that input place (`row`, `column`) is in; `y` and `x` are the window's place in the output. */
export function overWindowsAt(
  text: KernelText,
  { kernel, stride, padding, output }: SlidingWindows,
  body: (y: string, x: string) => readonly string[],
): string[] {
  const [fromY, fromX] = [`((row | 0) + ${padding[0]} - ky)`, `((column | 0) + ${padding[1]} - kx)`];
  const along = (from: string, by: number): [place: string, isOne: string] =>
    by === 1 ? [from, ""] : [text.quotient(from, by), ` && ${text.remainder(from, by)} === 0`];
  const [y, isRow] = along(fromY, stride[0]);
  const [x, isColumn] = along(fromX, stride[1]);
  return overKernel(kernel, [
    `if (${fromY} >= 0 && ${fromX} >= 0) {`,
    `if (${y} < ${output.height} && ${x} < ${output.width}${isRow}${isColumn}) {`,
    ...body(y, x),
    "}",
    "}",
  ]);
}
