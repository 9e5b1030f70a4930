/** @file The inner loops of pooling, in WebAssembly: four windows at a time, then one by one. */
import { importArena } from "../../workers/arena-import.ts";
import { type FunctionAssembler, ModuleAssembler } from "../../workers/assembler.ts";
import { countUp, increase, localsOf, numbered } from "../../workers/matmul/writing.ts";
import { WINDOW_ARGUMENTS } from "./unfold.ts";

/** Addresses are in bytes. The last arguments say where the windows are, as `argumentsOf` of `unfold.ts` gives them. */
export interface PoolLoops {
  /**
   * The largest of each window, to `to`; and how many bytes behind `image` it stands, to `indices`. NaN counts as larger than all.
   */
  readonly largest: (to: number, image: number, indices: number, ...windows: readonly number[]) => void;
  /** Adds number i of `from` to what stands `indices[i]` bytes behind `image`. */
  readonly scatter: (from: number, image: number, indices: number, count: number) => void;
  /** The sum of each window, times `share`. */
  readonly mean: (to: number, image: number, share: number, ...windows: readonly number[]) => void;
  /** Adds number i of `from`, times `share`, to all of window i. */
  readonly spread: (from: number, image: number, share: number, ...windows: readonly number[]) => void;
}

const FLOAT_BYTES = 4;
const LANES = 4;

/** A module that imports a shared memory as `env.memory` and exports `PoolLoops`. */
export function compilePoolLoops(): Uint8Array<ArrayBuffer> {
  const module = new ModuleAssembler();
  importArena(module);
  const windows = WINDOW_ARGUMENTS.map(() => "i32" as const);
  writeLargest(module.function(["i32", "i32", "i32", ...windows], [], "largest"));
  writeScatter(module.function(["i32", "i32", "i32", "i32"], [], "scatter"));
  writeMean(module.function(["i32", "i32", "f32", ...windows], [], "mean"));
  writeSpread(module.function(["i32", "i32", "f32", ...windows], [], "spread"));
  return module.bytes();
}

/** What a loop over windows has at hand: locals. */
interface Place {
  /** Address of the window's first element; of the next windows, so many bytes further on. */
  readonly at: number;
  readonly apart: number;
  /** In a loop over the elements of a window: how many bytes behind the first one. */
  readonly tap: number;
}

class WindowWriter {
  readonly #code: FunctionAssembler;
  readonly #given: Record<(typeof WINDOW_ARGUMENTS)[number] | "numbers" | "image" | "third", number>;
  readonly #own;
  readonly place: Place;

  constructor(code: FunctionAssembler) {
    this.#code = code;
    this.#given = numbered(["numbers", "image", "third", ...WINDOW_ARGUMENTS]);
    this.#own = localsOf(code, [
      ...(["channel", "row", "left", "ky", "kx", "ofPlane", "ofRow"] as const),
      ...(["ofLine", "at", "apart", "tap"] as const),
    ]);
    this.place = this.#own;
  }

  /** Runs a body for each window, in the order of the outputs: for `LANES` of them side by side, and for one. */
  forEachWindow(body: (lanes: number) => void, sideBySide: boolean): void {
    const code = this.#code;
    const [given, own] = [this.#given, this.#own];
    code.get(given.image).set(own.ofPlane);
    countUp(code, own.channel, given.channels, 1, () => {
      code.get(own.ofPlane).set(own.ofRow);
      countUp(code, own.row, given.rows, 1, () => {
        code.get(own.ofRow).set(own.at).get(given.columns).set(own.left);
        for (const lanes of sideBySide ? [LANES, 1] : [1]) {
          code.get(given.across).i32(FLOAT_BYTES).op("i32.mul").set(own.apart);
          code.block().loop();
          code.get(own.left).i32(lanes).op("i32.lt_u").brIf(1);
          body(lanes);
          code.get(own.at).get(own.apart).i32(lanes).op("i32.mul").op("i32.add").set(own.at);
          code.get(own.left).i32(lanes).op("i32.sub").set(own.left);
          code.br(0).end().end();
        }
        this.#addFloats(own.ofRow, given.down);
      });
      this.#addFloats(own.ofPlane, given.plane);
    });
  }

  /** Runs a body for each element of a window, row by row. */
  forEachTap(body: () => void): void {
    const code = this.#code;
    const [given, own] = [this.#given, this.#own];
    code.i32(0).set(own.ofLine);
    countUp(code, own.ky, given.kernelHeight, 1, () => {
      code.get(own.ofLine).set(own.tap);
      countUp(code, own.kx, given.kernelWidth, 1, () => {
        body();
        increase(code, own.tap, FLOAT_BYTES);
      });
      this.#addFloats(own.ofLine, given.line);
    });
  }

  /** Puts the elements of as many windows into the lanes of `vector`. */
  loadTap(vector: number, lanes: number): void {
    const code = this.#code;
    const { at, apart, tap } = this.place;
    code.get(at).get(tap).op("i32.add").memory("v128.load32_zero").set(vector);
    for (let lane = 1; lane < lanes; lane++) {
      code.get(at).get(tap).op("i32.add").get(apart).i32(lane).op("i32.mul").op("i32.add");
      code.get(vector).memory("v128.load32_lane", 0, lane).set(vector);
    }
  }

  /** Stores the numbers of as many windows at the address in a parameter, and moves it on. */
  store(address: number, vector: number, lanes: number): void {
    const code = this.#code;
    code
      .get(address)
      .get(vector)
      .memory(lanes === 1 ? "v128.store32_lane" : "v128.store");
    increase(code, address, lanes * FLOAT_BYTES);
  }

  #addFloats(local: number, count: number): void {
    this.#code.get(local).get(count).i32(FLOAT_BYTES).op("i32.mul").op("i32.add").set(local);
  }
}

/** Parameters of all loops. */
const [NUMBERS, IMAGE, THIRD] = [0, 1, 2];

function vectors<Name extends string>(code: FunctionAssembler, names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, code.local("v128")])) as Record<Name, number>;
}

function writeLargest(code: FunctionAssembler): void {
  const writer = new WindowWriter(code);
  const { at, apart, tap } = writer.place;
  const { value, best, where, mask } = vectors(code, ["value", "best", "where", "mask"]);
  const lowest = new Uint8Array(Float32Array.of(...Array<number>(LANES).fill(-Infinity)).buffer);
  const numbers = new Uint8Array(Int32Array.of(0, 1, 2, 3).buffer);
  writer.forEachWindow((lanes) => {
    code.v128(lowest).set(best);
    code.v128(new Uint8Array(16)).set(where);
    writer.forEachTap(() => {
      writer.loadTap(value, lanes);
      code.get(best).get(value).op("f32x4.lt").get(value).get(value).op("f32x4.ne").op("v128.or").set(mask);
      code.get(value).get(best).get(mask).op("v128.bitselect").set(best);
      code.get(tap).op("i32x4.splat").get(where).get(mask).op("v128.bitselect").set(where);
    });
    code.get(at).get(IMAGE).op("i32.sub").op("i32x4.splat").get(where).op("i32x4.add");
    code.v128(numbers).get(apart).op("i32x4.splat").op("i32x4.mul").op("i32x4.add").set(where);
    writer.store(NUMBERS, best, lanes);
    writer.store(THIRD, where, lanes);
  }, true);
}

function writeScatter(code: FunctionAssembler): void {
  const [count] = [3];
  const { at } = localsOf(code, ["at"]);
  code.block().loop();
  code.get(count).op("i32.eqz").brIf(1);
  code.get(IMAGE).get(THIRD).scalarMemory("i32.load").op("i32.add").tee(at);
  code.get(at).memory("v128.load32_zero").get(NUMBERS).memory("v128.load32_zero").op("f32x4.add");
  code.memory("v128.store32_lane");
  increase(code, NUMBERS, FLOAT_BYTES);
  increase(code, THIRD, FLOAT_BYTES);
  increase(code, count, -1);
  code.br(0).end().end();
}

function writeMean(code: FunctionAssembler): void {
  const writer = new WindowWriter(code);
  const { value, sum } = vectors(code, ["value", "sum"]);
  writer.forEachWindow((lanes) => {
    code.v128(new Uint8Array(16)).set(sum);
    writer.forEachTap(() => {
      writer.loadTap(value, lanes);
      code.get(sum).get(value).op("f32x4.add").set(sum);
    });
    code.get(sum).get(THIRD).op("f32x4.splat").op("f32x4.mul").set(sum);
    writer.store(NUMBERS, sum, lanes);
  }, true);
}

function writeSpread(code: FunctionAssembler): void {
  const writer = new WindowWriter(code);
  const { at, tap } = writer.place;
  const { part } = vectors(code, ["part"]);
  // Windows may overlap, so one after the other.
  writer.forEachWindow(() => {
    code.get(NUMBERS).memory("v128.load32_zero").get(THIRD).op("f32x4.splat").op("f32x4.mul").set(part);
    writer.forEachTap(() => {
      code.get(at).get(tap).op("i32.add");
      code.get(at).get(tap).op("i32.add").memory("v128.load32_zero").get(part).op("f32x4.add");
      code.memory("v128.store32_lane");
    });
    increase(code, NUMBERS, FLOAT_BYTES);
  }, false);
}
