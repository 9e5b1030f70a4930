import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth, printable, truncate, wrap } from "../../src/cli/text.ts";

describe("text", () => {
  it("counts cells, not code units", () => {
    expect(displayWidth("abc")).toBe(3);
    expect(displayWidth("日本")).toBe(4);
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("\x1b[31mred\x1b[39m")).toBe(3);
  });

  it("cuts any text to the width, at a whole character", () => {
    expect(truncate("leaky_relu", 6)).toBe("leaky…");
    expect(truncate("日本語", 4)).toBe("日…");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 20 }), (text, width) => {
        const safe = printable(text);
        expect(displayWidth(truncate(safe, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("wraps at spaces and loses nothing", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("unbreakable words", 4)).toEqual(["unbreakable", "words"]);
  });

  it("lets no control character reach the terminal", () => {
    expect(printable("a\x1b[2Jb\u009b1m\u202e")).toBe("a\\u001b[2Jb\\u009b1m\\u202e");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
