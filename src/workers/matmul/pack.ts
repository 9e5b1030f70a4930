/**
 * @file Packs an operand into panels. B by its columns and A by its rows are the same work: an operand of `count` vectors
 * of `k` elements, `width` of them side by side in a panel.
 *
 * ```text
 *   across   B as it is, A transposed: what comes side by side lies side by side, and is copied
 *   along    B transposed, A as it is: k lies side by side; four vectors of four elements are transposed in registers
 * ```
 */
import type { FunctionAssembler, ModuleAssembler } from "../assembler.ts";
import { FLOAT_BYTES } from "./layout.ts";
import { addMultiple, addProduct, countUp, increase, localsOf, numbered, setLeft } from "./writing.ts";

/** Parameters, all i32: addresses and strides in bytes. */
const PARAMETERS = ["from", "stride", "count", "k", "to", "panelStride"] as const;
const VECTOR_BYTES = 16;
const LANES = 4;
/** Values of k that go in one turn. */
const STEPS = 4;

/** Adds `across` or `along` for panels of `width`, a multiple of 4, and exports it under `name`. */
export function writePack(
  module: ModuleAssembler,
  name: string,
  direction: "across" | "along",
  width: number,
): void {
  const code = module.function(
    PARAMETERS.map(() => "i32"),
    [],
    name,
  );
  const p = numbered(PARAMETERS);
  const i = localsOf(code, ["first", "lines", "k", "line", "source", "target"]);
  /** Where the lines of memory begin of which a turn takes vectors. */
  const lines = Array.from({ length: direction === "across" ? STEPS : width }, () => code.local("i32"));
  const edge = code.local("v128");
  const zero = code.local("v128");

  /** One element of each vector from `i.k` on, and 0 for the vectors that are not there. */
  const copyOne = (): void => {
    code.i32(0).set(i.line);
    code.block().loop();
    code.get(i.line).i32(width).op("i32.eq").brIf(1);
    code.get(zero).set(edge);
    code.block();
    code.get(i.line).get(i.lines).op("i32.lt_u").op("i32.eqz").brIf(0);
    code.get(i.source);
    if (direction === "across") addMultiple(code, i.line, FLOAT_BYTES);
    else addProduct(code, i.line, p.stride);
    code.memory("v128.load32_splat").set(edge).end();
    code.get(i.target);
    addMultiple(code, i.line, FLOAT_BYTES);
    code.get(edge).memory("v128.store32_lane");
    increase(code, i.line, 1);
    code.br(0).end().end();
  };
  const advance = (steps: number): void => {
    code.get(i.source);
    if (direction === "across") addMultiple(code, p.stride, steps);
    else code.i32(steps * FLOAT_BYTES).op("i32.add");
    code.set(i.source);
    increase(code, i.target, steps * width * FLOAT_BYTES);
    increase(code, i.k, steps);
  };
  const whileLeft = (steps: number, body: () => void): void => {
    code.block().loop();
    code.get(p.k).get(i.k).op("i32.sub").i32(steps).op("i32.lt_u").brIf(1);
    body();
    advance(steps);
    code.br(0).end().end();
  };

  countUp(code, i.first, p.count, width, () => {
    setLeft(code, i.lines, i.first, p.count, () => code.i32(width));
    code.i32(0).set(i.k).get(p.to).set(i.target);
    code.get(p.from);
    if (direction === "across") addMultiple(code, i.first, FLOAT_BYTES);
    else addProduct(code, i.first, p.stride);
    code.set(i.source);
    // Full panels go by vectors.
    code.block();
    code.get(i.lines).i32(width).op("i32.lt_u").brIf(0);
    whileLeft(STEPS, () => {
      code.get(i.source).set(lines[0]!);
      for (let line = 1; line < lines.length; line++) {
        code
          .get(lines[line - 1]!)
          .get(p.stride)
          .op("i32.add")
          .set(lines[line]!);
      }
      if (direction === "across") copyVectors(code, lines, i.target, width);
      else transpose(code, lines, i.target);
    });
    code.end();
    whileLeft(1, copyOne);
    code.get(p.to).get(p.panelStride).op("i32.add").set(p.to);
  });
}

/** As many elements side by side as a panel is wide, of each line. */
function copyVectors(code: FunctionAssembler, lines: readonly number[], target: number, width: number): void {
  for (const [step, line] of lines.entries()) {
    for (let offset = 0; offset < width * FLOAT_BYTES; offset += VECTOR_BYTES) {
      code.get(target).get(line).memory("v128.load", offset);
      code.memory("v128.store", step * width * FLOAT_BYTES + offset);
    }
  }
}

/** Four elements of each line, so that those of all lines come side by side. */
function transpose(code: FunctionAssembler, lines: readonly number[], target: number): void {
  const [a, b, c, d] = Array.from({ length: LANES }, () => code.local("v128")) as [
    number,
    number,
    number,
    number,
  ];
  const lanes = (...numbers: number[]): number[] =>
    numbers.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * FLOAT_BYTES + byte));
  const [low, high] = [lanes(0, 4, 1, 5), lanes(2, 6, 3, 7)];
  const [first, second] = [lanes(0, 1, 4, 5), lanes(2, 3, 6, 7)];
  const [even, odd] = [code.local("v128"), code.local("v128")];
  for (let at = 0; at < lines.length; at += LANES) {
    const interleave = (line: number, left: number, right: number): void => {
      code
        .get(lines[at + line]!)
        .memory("v128.load")
        .set(even);
      code
        .get(lines[at + line + 1]!)
        .memory("v128.load")
        .set(odd);
      code.get(even).get(odd).shuffle(low).set(left);
      code.get(even).get(odd).shuffle(high).set(right);
    };
    const store = (step: number, left: number, right: number, bytes: readonly number[]): void => {
      code.get(target).get(left).get(right).shuffle(bytes);
      code.memory("v128.store", (step * lines.length + at) * FLOAT_BYTES);
    };
    // a = 00 10 01 11, b = 02 12 03 13 and c = 20 30 21 31, d = 22 32 23 33, where 13 is element 3 of line 1.
    interleave(0, a, b);
    interleave(2, c, d);
    store(0, a, c, first);
    store(1, a, c, second);
    store(2, b, d, first);
    store(3, b, d, second);
  }
}
