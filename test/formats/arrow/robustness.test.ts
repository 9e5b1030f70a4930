/** @file Damaged input: cut at every byte, with every bit flipped. Only errors of this package, no hang, no absurd request. */
import { describe, expect, test } from "vitest";
import { CorruptError, SluiceError, TruncatedError } from "../../../src/errors.ts";
import type { Format } from "../../../src/formats/layout.ts";
import { MAX_METADATA } from "../../../src/formats/place.ts";
import { fixture } from "../../support/fixtures.ts";
import { findMessages } from "../../support/lies.ts";
import { type WalkOptions, walkBytes } from "../../support/walk.ts";

const formatOf = (name: string) => name.slice(name.lastIndexOf(".") + 1) as Format;

/** The error of a walk; null where it succeeds. Anything that is not an error of this package is thrown on. */
function outcome(bytes: Uint8Array, options: WalkOptions): SluiceError | null {
  try {
    const walked = walkBytes(bytes, options);
    const bound = options.random === false ? MAX_METADATA : bytes.length;
    if (walked.largestPeek > Math.max(bound, 4096)) throw new Error(`asked for ${walked.largestPeek} bytes`);
    return null;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
}

describe("cut at every byte", () => {
  for (const name of ["small.arrow", "dictionary_delta.arrow", "legacy.arrow", "tensors.arrow"]) {
    for (const random of [true, false]) {
      test(`${name} ${random ? "as a file" : "from a pipe"} is truncated or corrupt`, () => {
        const whole = fixture(name);
        const format = formatOf(name);
        for (let length = 0; length < whole.length; length++) {
          const error = outcome(whole.subarray(0, length), { format, random });
          if (!(error instanceof TruncatedError || error instanceof CorruptError)) {
            expect.fail(`cut at ${length}: ${error}`);
          }
        }
      });
    }
  }

  for (const name of ["small.arrows", "dictionary_delta.arrows", "legacy.arrows", "tensors.arrows"]) {
    for (const random of [true, false]) {
      test(`${name} of ${random ? "known" : "unknown"} size is truncated but at the end of a message`, () => {
        const whole = fixture(name);
        const format = formatOf(name);
        const ends = findMessages(whole).map(({ offset, lead, bodyLength }) => offset + lead + bodyLength);
        for (let length = 0; length <= whole.length; length++) {
          const error = outcome(whole.subarray(0, length), { format, random });
          const fits = ends.includes(length) || length === whole.length;
          if (fits ? error !== null : !(error instanceof TruncatedError)) {
            expect.fail(`cut at ${length}: ${error}`);
          }
        }
      });
    }
  }
});

describe("with each bit flipped", () => {
  for (const name of ["small.arrow", "small.arrows", "no_batches.arrow"]) {
    test(`${name} is walked or refused, as a file, from a pipe and converted`, () => {
      const bytes = fixture(name);
      const format = formatOf(name);
      const to = format === "arrow" ? "arrows" : "arrow";
      let refused = 0;
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        for (const way of [{ random: true }, { random: false }, { to }] satisfies WalkOptions[]) {
          if (outcome(bytes, { format, ...way }) !== null) refused++;
        }
        bytes[bit >> 3]! ^= 1 << (bit & 7);
      }
      expect(refused).toBeGreaterThan(bytes.length);
    });
  }

  // One bit of every byte for the larger ones: the same bits in every run.
  for (const name of [
    "nested.arrows",
    "nested_v4.arrows",
    "leaves.arrows",
    "tensors.arrow",
    "dictionary_delta.arrow",
  ]) {
    test(`${name} is walked or refused`, () => {
      const bytes = fixture(name);
      const format = formatOf(name);
      for (let at = 0; at < bytes.length; at++) {
        const mask = 1 << ((at * 5) & 7);
        bytes[at]! ^= mask;
        outcome(bytes, { format, random: at % 2 === 0 });
        bytes[at]! ^= mask;
      }
      expect(outcome(bytes, { format })).toBe(null);
    });
  }
});

describe("with each word of the metadata replaced", () => {
  for (const name of ["small.arrow", "small.arrows"]) {
    test(`${name} is walked or refused`, () => {
      const whole = fixture(name);
      const format = formatOf(name);
      for (const value of [0, 1, -1, 0x7fffffff, -0x80000000, 0x01000000]) {
        for (let at = 0; at + 4 <= whole.length; at += 4) {
          const bytes = new Uint8Array(whole);
          new DataView(bytes.buffer).setInt32(at, value, true);
          outcome(bytes, { format });
          outcome(bytes, { format, random: false });
        }
      }
      expect(outcome(whole, { format })).toBe(null);
    });
  }
});
