import { describe, expect, it } from "vitest";
import { styleFor, widthOf } from "../../src/cli/style.ts";

const RED = "\x1b[31mred\x1b[39m";

describe("style", () => {
  it("colours a terminal and nothing else", () => {
    expect(styleFor(true, {}).red("red")).toBe(RED);
    expect(styleFor(false, {}).red("red")).toBe("red");
    expect(styleFor(true, { TERM: "dumb" }).red("red")).toBe("red");
  });

  it("FORCE_COLOR colours a pipe too, and 0 turns it off", () => {
    expect(styleFor(false, { FORCE_COLOR: "1" }).red("red")).toBe(RED);
    expect(styleFor(true, { FORCE_COLOR: "0" }).red("red")).toBe("red");
  });

  it("NO_COLOR wins, unless it is empty", () => {
    expect(styleFor(true, { NO_COLOR: "1", FORCE_COLOR: "1" }).red("red")).toBe("red");
    expect(styleFor(true, { NO_COLOR: "" }).red("red")).toBe(RED);
  });

  it("uses block characters unless the locale or the terminal lacks them", () => {
    expect(styleFor(true, { LANG: "en_GB.UTF-8" }).unicode).toBe(true);
    expect(styleFor(true, {}).unicode).toBe(true);
    expect(styleFor(true, { LC_ALL: "C", LANG: "en_GB.UTF-8" }).unicode).toBe(false);
    expect(styleFor(true, { TERM: "linux" }).unicode).toBe(false);
  });

  it("knows no width where there is no terminal", () => {
    expect(widthOf({})).toBe(Number.POSITIVE_INFINITY);
    expect(widthOf({ isTTY: true, columns: 0 })).toBe(80);
    expect(widthOf({ isTTY: true, columns: 120 })).toBe(120);
  });
});
