import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryError } from "../../src/errors.ts";
import { Arena } from "../../src/workers/arena.ts";

describe("the arena", () => {
  it("is 4 GiB of address space that costs no memory until it is touched", () => {
    const before = process.memoryUsage().rss;
    const arena = new Arena();
    expect(arena.bytes.length).toBe(2 ** 32);
    arena.bytes[2 ** 32 - 1] = 7;
    expect(arena.bytes[2 ** 32 - 1]).toBe(7);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it("never hands out a byte twice, and has every byte back after all is freed", () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant("allocate" as const), length: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ kind: fc.constant("free" as const), pick: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const arena = new Arena(4);
        const held: { address: number; length: number }[] = [];
        for (const step of commands) {
          if (step.kind === "allocate") {
            try {
              held.push({ address: arena.allocate(step.length), length: step.length });
            } catch (error) {
              expect(error).toBeInstanceOf(MemoryError);
            }
          } else if (held.length > 0) {
            const [piece] = held.splice(step.pick % held.length, 1);
            arena.free(piece!.address, piece!.length);
          }
          const sorted = held.toSorted((a, b) => a.address - b.address);
          for (const [i, piece] of sorted.entries()) {
            expect(piece.address % 64).toBe(0);
            const next = sorted[i + 1]?.address ?? arena.bytes.length;
            expect(piece.address + piece.length).toBeLessThanOrEqual(next);
          }
        }
        for (const { address, length } of held) arena.free(address, length);
        const whole = arena.bytes.length - 64;
        expect(arena.allocate(whole)).toBe(64);
      }),
      { numRuns: 200 },
    );
  });

  it("says what to do when it is full", () => {
    const arena = new Arena(1);
    arena.allocate(60_000);
    expect(() => arena.allocate(60_000)).toThrow(MemoryError);
    expect(() => arena.allocate(60_000)).toThrow(/no 60032 bytes left/);
  });
});
