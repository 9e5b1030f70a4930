/** @file The element types that Sluice computes on. */

/** Little-endian IEEE 754 numbers of 2, 4 and 8 bytes. */
export type Dtype = "float16" | "float32" | "float64";

/** Bytes of one element. */
export const BYTES_PER_ELEMENT: Readonly<Record<Dtype, 2 | 4 | 8>> = { float16: 2, float32: 4, float64: 8 };
