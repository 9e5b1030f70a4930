/** @file Loops over arrays of numbers that the engine needs beside kernels and products, in WebAssembly SIMD. */
import { importArena } from "../../workers/arena-import.ts";
import { type FunctionAssembler, ModuleAssembler } from "../../workers/assembler.ts";
import { countUp, increase, increaseBy, localsOf, numbered } from "../../workers/matmul/writing.ts";
import { writeSumLoops } from "../../workers/sum-loops.ts";

/** All numbers are byte addresses, counts or 32-bit integers; every loop goes through its numbers in one order. */
export interface Loops {
  /** The sum of the squares of float32s, as rows of `columns` that begin `stride` bytes apart; in float64. */
  squares(address: number, rows: number, columns: number, stride: number): number;
  /** The sum of the same float32s. */
  sumSingles(address: number, rows: number, columns: number, stride: number): number;
  /** The sums of the columns of float32s, in float64, to `to`. */
  sumColumns(to: number, address: number, rows: number, columns: number, stride: number): void;
  /** Rounds float64s to float32s. */
  round(to: number, from: number, count: number): void;
  /** The sum of float64s. */
  sum(address: number, count: number): number;
  /** Adds float64s to as many others. */
  accumulate(to: number, from: number, count: number): void;
  /**
   * Float32s that are dropped become 0, the others are multiplied by `scale`. Number i of the call is dropped where
   * `bitsAt(key, index + i)` of `random.ts` is below `threshold`; `salt` is `imul(key, SALT)`.
   */
  drop(
    to: number,
    from: number,
    count: number,
    key: number,
    salt: number,
    index: number,
    threshold: number,
    scale: number,
  ): void;
}

/** A module that imports a shared memory as `env.memory` and exports `Loops`. */
export function compileLoops(): Uint8Array<ArrayBuffer> {
  const module = new ModuleAssembler();
  importArena(module);
  writeSum(module.function(["i32", "i32", "i32", "i32"], ["f64"], "squares"), true);
  writeSum(module.function(["i32", "i32", "i32", "i32"], ["f64"], "sumSingles"), false);
  writeSumColumns(module.function(["i32", "i32", "i32", "i32", "i32"], [], "sumColumns"));
  writeRound(module.function(["i32", "i32", "i32"], [], "round"));
  writeSumLoops(module);
  writeDrop(module.function(["i32", "i32", "i32", "i32", "i32", "i32", "i32", "f32"], [], "drop"));
  return module.bytes();
}

const FLOAT_BYTES = 4;
/** Float32s that four vectors of float64 take. */
const WIDE = 8;

/** Runs `body` as long as at least `numbers` of them are left, and takes them off. */
function repeat(code: FunctionAssembler, left: number, numbers: number, body: () => void): void {
  code.block().loop();
  code.get(left).i32(numbers).op("i32.lt_u").brIf(1);
  body();
  code.get(left).i32(numbers).op("i32.sub").set(left);
  code.br(0).end().end();
}

function writeSum(code: FunctionAssembler, squared: boolean): void {
  const { address, rows, columns, stride } = numbered(["address", "rows", "columns", "stride"]);
  const { row, left, at } = localsOf(code, ["row", "left", "at"]);
  const lanes = Array.from({ length: WIDE / 2 }, () => code.local("v128"));
  const number = code.local("v128");
  const addNumbers = (lane: number, load: () => void): void => {
    code.get(lane).get(at);
    load();
    code.op("f64x2.promote_low_f32x4");
    if (squared) code.tee(number).get(number).op("f64x2.mul");
    code.op("f64x2.add").set(lane);
  };
  countUp(code, row, rows, 1, () => {
    code.get(columns).set(left).get(address).set(at);
    repeat(code, left, WIDE, () => {
      for (const [i, lane] of lanes.entries()) addNumbers(lane, () => code.memory("v128.load64_zero", 8 * i));
      increase(code, at, WIDE * FLOAT_BYTES);
    });
    repeat(code, left, 1, () => {
      addNumbers(lanes[0]!, () => code.memory("v128.load32_zero"));
      increase(code, at, FLOAT_BYTES);
    });
    increaseBy(code, address, stride);
  });
  const [a, b, c, d] = lanes as [number, number, number, number];
  code.get(a).get(c).op("f64x2.add").get(b).get(d).op("f64x2.add").op("f64x2.add").set(a);
  code.get(a).extract("f64x2.extract_lane", 0).get(a).extract("f64x2.extract_lane", 1).op("f64.add");
}

function writeSumColumns(code: FunctionAssembler): void {
  const { to, address, rows, columns, stride } = numbered(["to", "address", "rows", "columns", "stride"]);
  const { row, at } = localsOf(code, ["row", "at"]);
  const lanes = Array.from({ length: WIDE / 2 }, () => code.local("v128"));
  const zero = new Uint8Array(16);
  /** Some columns, all rows. */
  const sum = (sums: readonly number[], load: (i: number) => void, store: (i: number) => void): void => {
    for (const lane of sums) code.v128(zero).set(lane);
    code.get(address).set(at);
    countUp(code, row, rows, 1, () => {
      for (const [i, lane] of sums.entries()) {
        code.get(lane).get(at);
        load(i);
        code.op("f64x2.promote_low_f32x4").op("f64x2.add").set(lane);
      }
      increaseBy(code, at, stride);
    });
    for (const [i, lane] of sums.entries()) {
      code.get(to).get(lane);
      store(i);
    }
  };
  const advance = (count: number): void => {
    increase(code, address, count * FLOAT_BYTES);
    increase(code, to, count * 2 * FLOAT_BYTES);
  };
  repeat(code, columns, WIDE, () => {
    sum(
      lanes,
      (i) => code.memory("v128.load64_zero", 8 * i),
      (i) => code.memory("v128.store", 16 * i),
    );
    advance(WIDE);
  });
  repeat(code, columns, 1, () => {
    sum(
      lanes.slice(0, 1),
      () => code.memory("v128.load32_zero"),
      () => code.memory("v128.store64_lane"),
    );
    advance(1);
  });
}

function writeRound(code: FunctionAssembler): void {
  const { to, from, count } = numbered(["to", "from", "count"]);
  const advance = (numbers: number): void => {
    increase(code, to, numbers * FLOAT_BYTES);
    increase(code, from, numbers * 2 * FLOAT_BYTES);
  };
  repeat(code, count, 2, () => {
    code.get(to).get(from).memory("v128.load").op("f32x4.demote_f64x2_zero").memory("v128.store64_lane");
    advance(2);
  });
  repeat(code, count, 1, () => {
    code
      .get(to)
      .get(from)
      .memory("v128.load64_zero")
      .op("f32x4.demote_f64x2_zero")
      .memory("v128.store32_lane");
    advance(1);
  });
}

/** What `random.ts` multiplies a key with. */
export const SALT = 0x9e3779b1;

function writeDrop(code: FunctionAssembler): void {
  const { to, from, count, key, salt, index, threshold, scale } = numbered([
    "to",
    "from",
    "count",
    "key",
    "salt",
    "index",
    "threshold",
    "scale",
  ]);
  const [keys, salts, thresholds, scales, indices, bits] = Array.from({ length: 6 }, () =>
    code.local("v128"),
  ) as [number, number, number, number, number, number];
  const splat = (number: number): void => void code.v128(intLanes(number, number, number, number));
  const sign = 1 << 31;
  code.get(key).op("i32x4.splat").set(keys);
  code.get(salt).op("i32x4.splat").set(salts);
  // Comparisons are of signed integers: with the other sign bit they order unsigned ones.
  code.get(threshold).op("i32x4.splat");
  splat(sign);
  code.op("v128.xor").set(thresholds);
  code.get(scale).op("f32x4.splat").set(scales);
  code
    .get(index)
    .op("i32x4.splat")
    .v128(intLanes(0, 1, 2, 3))
    .op("i32x4.add")
    .set(indices);
  const shiftXor = (shift: number): void => {
    code.get(bits).get(bits).i32(shift).op("i32x4.shr_u").op("v128.xor").set(bits);
  };
  const multiply = (factor: number): void => {
    code.get(bits);
    splat(factor | 0);
    code.op("i32x4.mul").set(bits);
  };
  const mix = (): void => {
    shiftXor(16);
    multiply(0x85ebca6b);
    shiftXor(13);
    multiply(0xc2b2ae35);
    shiftXor(16);
  };
  const turn = (numbers: number, load: () => void, store: () => void): void => {
    repeat(code, count, numbers, () => {
      code.get(indices).get(keys).op("v128.xor").set(bits);
      mix();
      code.get(bits).get(salts).op("i32x4.add").set(bits);
      mix();
      code.get(to).get(from);
      load();
      code.get(scales).op("f32x4.mul");
      code.get(thresholds).get(bits);
      splat(sign);
      code.op("v128.xor").op("i32x4.gt_s").op("v128.andnot");
      store();
      code.get(indices);
      splat(numbers);
      code.op("i32x4.add").set(indices);
      increase(code, to, numbers * FLOAT_BYTES);
      increase(code, from, numbers * FLOAT_BYTES);
    });
  };
  turn(
    4,
    () => code.memory("v128.load"),
    () => code.memory("v128.store"),
  );
  turn(
    1,
    () => code.memory("v128.load32_zero"),
    () => code.memory("v128.store32_lane"),
  );
}

function intLanes(...lanes: readonly [number, number, number, number]): Uint8Array {
  return new Uint8Array(Int32Array.from(lanes).buffer);
}
