/**
 * @file WebAssembly instructions by their names in the text format, and the numbers they have in the binary format.
 *
 * Source: WebAssembly Core Specification 2.0, section 5.4 "Instructions" (5.4.8 for the vector instructions), and the
 * relaxed SIMD proposal's overview. Only what Sluice emits is listed; a new instruction is one more line here.
 */

/** Instructions without immediates, one byte each (5.4.1 to 5.4.7). */
export const SCALAR_OPS = {
  drop: 0x1a,
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.lt_u": 0x49,
  "i32.gt_u": 0x4b,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_u": 0x6e,
  "i32.rem_u": 0x70,
  "f64.convert_i32_u": 0xb8,
  "f64.add": 0xa0,
} as const;

/** Loads and stores of scalars, with an alignment and an offset as immediates (5.4.6). */
export const SCALAR_MEMORY_OPS = {
  "i32.load": 0x28,
  "f64.load": 0x2b,
  "f64.store": 0x39,
} as const;

/** Takes one lane of a vector, by the number that follows it (5.4.8). */
export const EXTRACT_OPS = {
  "f64x2.extract_lane": 0x21,
} as const;

/** Vector instructions without immediates: the prefix 0xfd, then this number as LEB128 (5.4.8). */
export const VECTOR_OPS = {
  "i32x4.splat": 0x11,
  "f32x4.splat": 0x13,
  "f64x2.splat": 0x14,
  "f32x4.eq": 0x41,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.le": 0x45,
  "f64x2.eq": 0x47,
  "f64x2.ne": 0x48,
  "f64x2.lt": 0x49,
  "f64x2.le": 0x4b,
  "v128.and": 0x4e,
  "v128.andnot": 0x4f,
  "v128.or": 0x50,
  "v128.xor": 0x51,
  "v128.bitselect": 0x52,
  "i32x4.gt_s": 0x3b,
  "f32x4.ceil": 0x67,
  "f32x4.floor": 0x68,
  "f32x4.nearest": 0x6a,
  "f64x2.ceil": 0x74,
  "f64x2.floor": 0x75,
  "i16x8.narrow_i32x4_u": 0x86,
  "f64x2.nearest": 0x94,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i32x4.min_s": 0xb6,
  "i32x4.max_s": 0xb8,
  "i64x2.sub": 0xd1,
  "i64x2.add": 0xce,
  "f32x4.abs": 0xe0,
  "f32x4.neg": 0xe1,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f32x4.min": 0xe8,
  "f32x4.max": 0xe9,
  "f32x4.pmin": 0xea,
  "f32x4.pmax": 0xeb,
  "f64x2.abs": 0xec,
  "f64x2.neg": 0xed,
  "f64x2.sqrt": 0xef,
  "f64x2.add": 0xf0,
  "f64x2.sub": 0xf1,
  "f64x2.mul": 0xf2,
  "f64x2.div": 0xf3,
  "f64x2.min": 0xf4,
  "f64x2.max": 0xf5,
  "f64x2.pmin": 0xf6,
  "f64x2.pmax": 0xf7,
  "f32x4.demote_f64x2_zero": 0x5e,
  "f64x2.promote_low_f32x4": 0x5f,
  "f32x4.relaxed_madd": 0x105,
  "f64x2.relaxed_madd": 0x107,
  "f64x2.relaxed_nmadd": 0x108,
} as const;

/** Vector shifts: a v128 and an i32 count on the stack (5.4.8). */
export const SHIFT_OPS = {
  "i32x4.shl": 0xab,
  "i32x4.shr_u": 0xad,
  "i64x2.shl": 0xcb,
  "i64x2.shr_u": 0xcd,
} as const;

/** Takes 16 bytes of two vectors, by the 16 numbers that follow it (5.4.8). */
export const SHUFFLE = 0x0d;

/** Vector loads and stores, with an alignment and an offset as immediates (5.4.8). */
export const MEMORY_OPS = {
  "v128.load": 0x00,
  "v128.load16x4_s": 0x03,
  "v128.load16_splat": 0x08,
  "v128.load32_splat": 0x09,
  "v128.load64_splat": 0x0a,
  "v128.store": 0x0b,
  "v128.load32_zero": 0x5c,
  "v128.load64_zero": 0x5d,
} as const;

/** Loads and stores of one lane: like a load or store, then the number of the lane (5.4.8). */
export const LANE_OPS = {
  "v128.load32_lane": 0x56,
  "v128.store16_lane": 0x59,
  "v128.store32_lane": 0x5a,
  "v128.store64_lane": 0x5b,
} as const;

export type ScalarOp = keyof typeof SCALAR_OPS;
export type ScalarMemoryOp = keyof typeof SCALAR_MEMORY_OPS;
export type ExtractOp = keyof typeof EXTRACT_OPS;
export type VectorOp = keyof typeof VECTOR_OPS;
export type ShiftOp = keyof typeof SHIFT_OPS;
export type MemoryOp = keyof typeof MEMORY_OPS;
export type LaneOp = keyof typeof LANE_OPS;
