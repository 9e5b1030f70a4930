/** @file Comparing large arrays by their bits, and saying where they differ. */
import { expect } from "vitest";

/** Passes where both hold the same bytes; vitest's own comparison takes seconds for a million elements. */
export function expectSameBits(got: ArrayBufferView, expected: ArrayBufferView): void {
  const [a, b] = [bytes(got), bytes(expected)];
  expect(a.length).toBe(b.length);
  if (Buffer.compare(a, b) === 0) return;
  const at = a.findIndex((byte, i) => byte !== b[i]);
  expect({ at, bytes: a.subarray(at, at + 16).toString("hex") }).toEqual({
    at,
    bytes: b.subarray(at, at + 16).toString("hex"),
  });
}

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);
