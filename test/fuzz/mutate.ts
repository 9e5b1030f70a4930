/** @file Damages a valid input: flipped bits above all, and what broken disks, broken copies and attackers do. */
import type { Random } from "./random.ts";

/** Numbers at the borders of what lengths and offsets can be. */
const BORDERS = [
  0n,
  1n,
  -1n,
  7n,
  8n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 62n,
  -(2n ** 63n),
];

type Damage = (bytes: Uint8Array, random: Random) => Uint8Array;

const flipBit: Damage = (bytes, random) => {
  const at = random.below(bytes.length);
  return bytes.with(at, bytes[at]! ^ (1 << random.below(8)));
};

const setByte: Damage = (bytes, random) => {
  return bytes.with(random.below(bytes.length), random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]));
};

/** Lengths and offsets are aligned to their size. */
const setNumber: Damage = (bytes, random) => {
  const width = random.pick([2, 4, 8]);
  if (bytes.length < 8) return bytes;
  const out = bytes.slice();
  const at = random.below(Math.floor(bytes.length / width)) * width;
  const view = new DataView(out.buffer);
  const number = random.pick([...BORDERS, BigInt(bytes.length), BigInt(random.below(bytes.length))]);
  if (width === 2) view.setInt16(at, Number(BigInt.asIntN(16, number)), true);
  else if (width === 4) view.setInt32(at, Number(BigInt.asIntN(32, number)), true);
  else if (at + 8 <= out.length) view.setBigInt64(at, BigInt.asIntN(64, number), true);
  return out;
};

const cutEnd: Damage = (bytes, random) => bytes.slice(0, random.below(bytes.length));

const cutOut: Damage = (bytes, random) => {
  const at = random.below(bytes.length);
  const end = at + random.below(Math.min(64, bytes.length - at));
  return join(bytes.subarray(0, at), bytes.subarray(end));
};

const insert: Damage = (bytes, random) => {
  const at = random.below(bytes.length);
  const from = random.below(bytes.length);
  return join(bytes.subarray(0, at), bytes.subarray(from, from + random.below(64)), bytes.subarray(at));
};

const copyOver: Damage = (bytes, random) => {
  const out = bytes.slice();
  const from = random.below(bytes.length);
  out.copyWithin(random.below(bytes.length), from, from + random.below(64));
  return out;
};

/** As likely as it stands here often. */
const DAMAGES = [
  flipBit,
  flipBit,
  flipBit,
  flipBit,
  setByte,
  setByte,
  setNumber,
  setNumber,
  cutEnd,
  cutOut,
  insert,
  copyOver,
];

/** One damage in most cases: two at once are seldom worse than the first. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes;
  const times = random.pick([1, 1, 1, 2, 4]);
  for (let i = 0; i < times && out.length > 0; i++) out = random.pick(DAMAGES)(out, random);
  return out;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
