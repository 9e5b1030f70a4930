/** @file How the elements of each dtype go between memory and vectors of the compute type. */
import type { Dtype } from "../ops/dtype.ts";
import type { LaneOp, MemoryOp } from "./opcodes.ts";

/** Instructions that load and store a vector's worth of elements, and one element. */
export interface Access {
  /** Bytes of an element. */
  readonly bytes: number;
  readonly load: MemoryOp;
  /** Puts the element in every lane, so that each does what lane 0 does. */
  readonly loadOne: MemoryOp;
  /** Lane stores write lane 0. */
  readonly store: MemoryOp | LaneOp;
  readonly storeOne: LaneOp;
}

const FLOAT32: Access = {
  bytes: 4,
  load: "v128.load",
  loadOne: "v128.load32_splat",
  store: "v128.store",
  storeOne: "v128.store32_lane",
};

const FLOAT64: Access = {
  bytes: 8,
  load: "v128.load",
  loadOne: "v128.load64_splat",
  store: "v128.store",
  storeOne: "v128.store64_lane",
};

/**
 * Four elements fill four 32-bit lanes, where `widenHalf` takes them: bits 0 to 14 and bit 31 are theirs, whether the
 * sign was extended or the element splat. `narrowHalf` leaves them packed in the lower 64 bits.
 */
const FLOAT16: Access = {
  bytes: 2,
  load: "v128.load16x4_s",
  loadOne: "v128.load16_splat",
  store: "v128.store64_lane",
  storeOne: "v128.store16_lane",
};

export interface Layout {
  /** Elements in a vector of the compute type. */
  readonly lanes: number;
  readonly x: Access;
  /** The tables of channel parameters hold the compute type. */
  readonly channel: Access;
}

export const LAYOUTS: Readonly<Record<Dtype, Layout>> = {
  float16: { lanes: 4, x: FLOAT16, channel: FLOAT32 },
  float32: { lanes: 4, x: FLOAT32, channel: FLOAT32 },
  float64: { lanes: 2, x: FLOAT64, channel: FLOAT64 },
};
