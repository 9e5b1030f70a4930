import { describe, expect, it } from "vitest";
import { inTurn } from "../../src/workers/turns.ts";

const memory = (): Int32Array => new Int32Array(new SharedArrayBuffer(16));

describe("a turn", () => {
  it("gives what the work gives, and is over then", () => {
    const words = memory();
    expect(inTurn(words, 4, () => words[1])).toBe(1);
    expect([...words]).toEqual([0, 0, 0, 0]);
  });

  it("is over when the work fails, too", () => {
    const words = memory();
    const fail = (): never => {
      throw new Error("no");
    };
    expect(() => inTurn(words, 8, fail)).toThrow("no");
    expect([...words]).toEqual([0, 0, 0, 0]);
  });

  it("comes even where a thread died in its own", () => {
    const words = memory();
    words[0] = 1;
    expect(inTurn(words, 0, () => "done")).toBe("done");
  });
});
