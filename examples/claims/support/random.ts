/**
 * @file Random numbers by counting: number i of a stream is a function of the stream's key and of i alone, so that every run
 * has the same ones.
 *
 * The bits are mixed by `lowbias32` (Wellons 2018, https://nullprogram.com/blog/2018/07/31/), twice.
 */

/** The key of the stream that these whole numbers name, as `keyOf(seed, layer)`. */
export function keyOf(...parts: readonly number[]): number {
  return parts.reduce((key, part) => mix(mix(part + 0x9e3779b9) ^ key), 0x2545f491);
}

/** 32 random bits, from 0 to 2^32 - 1. */
export const bitsAt = (key: number, index: number): number => mix((mix(index ^ key) + key) | 0) >>> 0;

/** Uniform over (0, 1). */
export const uniformAt = (key: number, index: number): number => (bitsAt(key, index) + 0.5) / 2 ** 32;

/** Fills an array with normal numbers of mean 0, two at a time by Box and Muller (1958). */
export function fillNormal<Values extends Float32Array | Float64Array>(
  values: Values,
  key: number,
  deviation = 1,
): Values {
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(uniformAt(key, i)));
    const angle = 2 * Math.PI * uniformAt(key, i + 1);
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

/** The whole numbers below `count` in a random order (Fisher and Yates). */
export function shuffled(count: number, key: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let left = count - 1; left > 0; left--) {
    const other = Math.floor(uniformAt(key, left) * (left + 1));
    [order[left], order[other]] = [order[other]!, order[left]!];
  }
  return order;
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return bits ^ (bits >>> 16);
}
