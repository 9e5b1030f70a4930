/** @file A sample of float64: every size of number, more of those where functions bend, and the edges. */

const SEED = 20261123;
const EDGES = [
  0,
  1,
  0.5,
  2,
  3,
  6,
  20,
  709.782712893384,
  745.1332191019412,
  Number.MIN_VALUE,
  2 ** -1022,
  2 ** -54,
];
const LARGE = [Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN];

/** The same numbers for the same count. */
export function sampleFloat64(count: number): Float64Array {
  const sample = new Float64Array(count);
  const bits = new Uint32Array(sample.buffer);
  const random = generator(SEED);
  for (let index = 0; index < count; index++) {
    const low = random();
    const high = random();
    // Half of them are of any size, the other half between 2^-30 and 2^10.
    const exponent = index % 2 === 0 ? high & 0x7ff : 1023 - 30 + ((high & 0x7ff) % 40);
    bits[2 * index] = low;
    bits[2 * index + 1] = (random() & 0x800fffff) | (exponent << 20);
  }
  const edges = [...EDGES, ...LARGE].flatMap((edge) => [edge, -edge]);
  sample.set(edges);
  return sample;
}

/** Uniform whole numbers of 32 bits: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
