/** @file A batch's body from a stream, in pieces: between those that are more than carried, all is kept. */
import type { Step } from "../layout.ts";
import type { Place } from "../place.ts";

/** Offsets are looked at in pieces of this size. */
export const BLOCK_BYTES = 256 * 1024;

/** Part of a body that is more than carried. */
export interface Region {
  /** Bytes from the start of the body. */
  readonly offset: number;
  readonly bytes: number;
  /** Moves from its first byte behind its last one. */
  steps(): Generator<Step, void, Uint8Array>;
}

/** Walks from the `lead` bytes before the body to its end. */
export function* walkRegions(
  regions: readonly Region[],
  lead: number,
  bodyLength: number,
  place: Place,
): Generator<Step, void, Uint8Array> {
  let at = 0;
  let kept = lead;
  for (const { offset, bytes, steps } of regions.toSorted((a, b) => a.offset - b.offset)) {
    if (bytes === 0) continue;
    if (offset < at) throw place.corrupt("Two buffers of the record batch overlap");
    kept += offset - at;
    if (kept > 0) yield { step: "keep", length: kept };
    kept = 0;
    yield* steps();
    at = offset + bytes;
  }
  kept += bodyLength - at;
  if (kept > 0) yield { step: "keep", length: kept };
}

/** The next bytes, which are offsets. */
export function* look(length: number, place: Place): Generator<Step, Uint8Array, Uint8Array> {
  const bytes = yield { step: "peek", length };
  if (bytes.length < length) throw place.short("the offsets of a list", length, bytes.length);
  return bytes;
}
