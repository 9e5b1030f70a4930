/**
 * @file The inner loops of sums in WebAssembly, as functions of a kernel's module: `sum(address, count)` and
 * `accumulate(to, from, count)`, on float64s at byte addresses. They add in the order that `ops/shards.ts` defines.
 */
import { LANES } from "../ops/shards.ts";
import type { FunctionAssembler, ModuleAssembler } from "./assembler.ts";

const BYTES = 8;
/** Vectors of two float64 that hold all lanes. */
const VECTORS = LANES / 2;
/** Vectors in one turn of `accumulate`. */
const UNROLLED = 4;

export function writeSumLoops(module: ModuleAssembler): void {
  writeSum(module.function(["i32", "i32"], ["f64"], "sum"));
  writeAccumulate(module.function(["i32", "i32", "i32"], [], "accumulate"));
}

function writeSum(code: FunctionAssembler): void {
  const [address, count] = [0, 1];
  const lanes = Array.from({ length: VECTORS }, () => code.local("v128"));
  const total = code.local("f64");
  turns(code, count, LANES, [address], () => {
    for (const [k, lane] of lanes.entries()) {
      code
        .get(lane)
        .get(address)
        .memory("v128.load", 2 * BYTES * k)
        .op("f64x2.add")
        .set(lane);
    }
  });
  for (let width = VECTORS / 2; width >= 1; width /= 2) {
    for (let k = 0; k < width; k++) {
      code
        .get(lanes[k]!)
        .get(lanes[k + width]!)
        .op("f64x2.add")
        .set(lanes[k]!);
    }
  }
  const first = lanes[0]!;
  code.get(first).extract("f64x2.extract_lane", 0).get(first).extract("f64x2.extract_lane", 1);
  code.op("f64.add").set(total);
  turns(code, count, 1, [address], () => {
    code.get(total).get(address).scalarMemory("f64.load").op("f64.add").set(total);
  });
  code.get(total);
}

function writeAccumulate(code: FunctionAssembler): void {
  const [to, from, count] = [0, 1, 2];
  turns(code, count, 2 * UNROLLED, [to, from], () => {
    for (let offset = 0; offset < 2 * BYTES * UNROLLED; offset += 2 * BYTES) {
      code.get(to).get(to).memory("v128.load", offset).get(from).memory("v128.load", offset);
      code.op("f64x2.add").memory("v128.store", offset);
    }
  });
  turns(code, count, 1, [to, from], () => {
    code.get(to).get(to).scalarMemory("f64.load").get(from).scalarMemory("f64.load");
    code.op("f64.add").scalarMemory("f64.store");
  });
}

/** Repeats `body` for as many float64s as long as there are so many, and moves the addresses on. */
function turns(
  code: FunctionAssembler,
  count: number,
  numbers: number,
  addresses: readonly number[],
  body: () => void,
): void {
  code.block().loop();
  code.get(count).i32(numbers).op("i32.lt_u").brIf(1);
  body();
  code.get(count).i32(numbers).op("i32.sub").set(count);
  for (const address of addresses)
    code
      .get(address)
      .i32(numbers * BYTES)
      .op("i32.add")
      .set(address);
  code.br(0).end().end();
}
