/**
 * @file Random numbers by counting: number i of a stream is a function of the stream's key and i alone, so it does not
 * matter who asks, when, or in which order.
 *
 * Two rounds of the finaliser of MurmurHash3 (Appleby 2011, `fmix32`), which lets every bit of the input change each bit of
 * the output with a probability near one half.
 */

/** Names a stream. */
export type RandomKey = number;

/** The key of the stream that these whole numbers name, as `keyOf(seed, epoch, layer)`. */
export function keyOf(...parts: readonly number[]): RandomKey {
  let key = 0x9e3779b9;
  for (const part of parts) {
    key = mix(key ^ mix(part | 0));
    key = mix(key ^ mix(Math.floor(part / 2 ** 32) + 0x85ebca6b));
  }
  return key;
}

/** 32 random bits, as a number from 0 to 2^32 - 1. */
export function bitsAt(key: RandomKey, index: number): number {
  return mix(mix((index | 0) ^ key) + Math.imul(key, 0x9e3779b1) + ((index * 2 ** -32) | 0)) >>> 0;
}

/** Uniform over [0, 1): 53 bits. */
export function uniformAt(key: RandomKey, index: number): number {
  // Two names, not a pair: a layer of a million weights asks four million times.
  const high = bitsAt(key, 2 * index) >>> 5;
  const low = bitsAt(key, 2 * index + 1) >>> 6;
  return (high * 67_108_864 + low) / 2 ** 53;
}

/** Standard normal, by Box and Muller (1958). */
export function normalAt(key: RandomKey, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformAt(key, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniformAt(key, 2 * index + 1));
}

/** Puts `items` in a random order, in place (Fisher and Yates). */
export function shuffle<List extends { [index: number]: number; readonly length: number }>(
  items: List,
  key: RandomKey,
): List {
  for (let left = items.length - 1; left > 0; left--) {
    const other = Math.floor(uniformAt(key, left) * (left + 1));
    const item = items[left]!;
    items[left] = items[other]!;
    items[other] = item;
  }
  return items;
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
