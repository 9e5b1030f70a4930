import { describe, expect, it } from "vitest";
import { styleFor } from "../../src/cli/style.ts";
import { renderTable } from "../../src/cli/table.ts";
import { displayWidth } from "../../src/cli/text.ts";

const style = styleFor(false, {});
const columns = [
  { title: "column" },
  { title: "rows", align: "right" },
  { title: "about", wrapAt: 10 },
] as const;
const rows = [
  ["image", "10,000", "what a digit looks like"],
  ["名前", "7", "a name"],
];

describe("a table", () => {
  it("aligns by cells", () => {
    expect(renderTable(columns, rows, { width: 80, style })).toBe(
      "  column    rows  about\n  image   10,000  what a digit looks like\n  名前         7  a name\n",
    );
  });

  it("wraps its last column into the room that is left", () => {
    expect(renderTable(columns, rows.slice(0, 1), { width: 32, style })).toBe(
      "  column    rows  about\n  image   10,000  what a digit\n                  looks like\n",
    );
  });

  it("becomes blocks where even that has no room", () => {
    const text = renderTable(columns, rows, { width: 24, style });
    expect(text).toBe(
      "  image\n    rows   10,000\n    about  what a digit\n           looks like\n  名前\n    rows   7\n    about  a name\n",
    );
    for (const line of text.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(24);
  });

  it("without rows is nothing", () => {
    expect(renderTable(columns, [], { width: 80, style })).toBe("");
  });
});
