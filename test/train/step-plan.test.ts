import fc from "fast-check";
import { expect, test } from "vitest";
import { Meter } from "../../src/train/meter.ts";
import { StepPlan } from "../../src/train/step-plan.ts";

const small = fc.integer({ min: 1, max: 40 });

test("groups cover every step once, in order, and end where an epoch or a stop does", () => {
  const options = fc.record({
    ...{ rows: small, batch: small, epochs: fc.integer({ min: 1, max: 5 }) },
    stops: fc.array(fc.nat(20), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(options, small, (given, most) => {
      const plan = new StepPlan(given);
      let step = 0;
      for (let group = plan.group(0, most); group; group = plan.group(step, most)) {
        expect(group.first).toBe(step);
        expect(group.count).toBeGreaterThanOrEqual(1);
        expect(group.count).toBeLessThanOrEqual(most);
        const last = group.first + group.count - 1;
        expect(Math.floor(last / plan.perEpoch)).toBe(group.epoch);
        for (const stop of given.stops.filter((each) => each > 0)) {
          expect(Math.floor(last / stop)).toBe(Math.floor(group.first / stop));
        }
        step += group.count;
      }
      expect(step).toBe(plan.total);
    }),
  );
});

test("the rows of an epoch's steps are all of its rows", () => {
  fc.assert(
    fc.property(small, small, (rows, batch) => {
      const plan = new StepPlan({ rows, batch, epochs: 2, stops: [] });
      let total = 0;
      for (let step = plan.perEpoch; step < plan.total; step++) {
        expect(plan.rowsBefore(step)).toBe(total);
        total += plan.rowsOf(step);
      }
      expect(total).toBe(rows);
    }),
  );
});

test("the meter tells the rate of the last seconds, and the time that is left", () => {
  let now = 0;
  const meter = new Meter(() => now);
  expect(meter.secondsFor(10)).toBe(Number.POSITIVE_INFINITY);
  for (now = 1; now <= 10; now++) meter.add(1000);
  expect(meter.rate).toBe(1000);
  for (; now <= 20; now++) meter.add(100);
  expect(meter.rate).toBe(100);
  expect(meter.secondsFor(500)).toBe(5);
  expect(meter.secondsFor(0)).toBe(0);
});
