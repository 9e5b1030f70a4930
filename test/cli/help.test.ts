import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { renderHelp } from "../../src/cli/help.ts";
import { styleFor } from "../../src/cli/style.ts";
import { displayWidth } from "../../src/cli/text.ts";

const style = styleFor(false, {});

describe("help", () => {
  it("comes with examples, then options, then exit codes", () => {
    for (const command of [undefined, ...COMMANDS]) {
      const text = renderHelp(command, 80, style);
      const places = ["\nExamples\n", "\nOptions\n", "\nExit codes\n"].map((title) => text.indexOf(title));
      expect(places[0]).toBeGreaterThan(0);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    }
  });

  it("names every command, and every option of a command", () => {
    const overview = renderHelp(undefined, 80, style);
    for (const command of COMMANDS) {
      expect(overview).toContain(`  ${[command.name, command.operands].filter(Boolean).join(" ")}`);
      for (const { name } of command.options) expect(renderHelp(command, 80, style)).toContain(`--${name}`);
    }
  });

  it("fits its running text into any terminal", () => {
    for (const width of [40, 80, 120]) {
      for (const command of [undefined, ...COMMANDS]) {
        const lines = renderHelp(command, width, style).split("\n");
        const prose = lines.filter((line) => !/^\s+(#|sluice |cat )|^Usage:/.test(line));
        for (const line of prose) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });
});
