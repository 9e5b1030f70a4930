import fc from "fast-check";
import { expect, it } from "vitest";
import { fillTable, forEachSegment, tableLayout } from "../../src/workers/channels.ts";

it("gives every element the value of its channel, whatever the stride, the start and the cut", () => {
  const channels = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 40 }), stride: fc.integer({ min: 1, max: 9_000 }) }),
    fc.record({ count: fc.integer({ min: 1, max: 40_000 }), stride: fc.integer({ min: 1, max: 3 }) }),
  );
  fc.assert(
    fc.property(
      channels,
      fc.nat(1_000_000),
      fc.integer({ min: 0, max: 60_000 }),
      ({ count, stride }, start, length) => {
        const layout = tableLayout({ count, stride });
        const table = new Float64Array(layout.entries);
        fillTable(
          table,
          layout,
          Array.from({ length: count }, (_, channel) => channel),
        );
        const first = start % (count * stride);
        let next = 0;
        forEachSegment(layout, first, length, (offset, cut, entry) => {
          expect(offset).toBe(next);
          expect(entry + cut).toBeLessThanOrEqual(layout.entries);
          // The ends of a segment tell: within it, table and channels run alike.
          for (const i of [0, 1, cut >> 1, cut - 1]) {
            if (i >= 0 && i < cut)
              expect(table[entry + i]).toBe(Math.floor((first + offset + i) / stride) % count);
          }
          next = offset + cut;
        });
        expect(next).toBe(length);
      },
    ),
    { numRuns: 300 },
  );
});
