import { expect, it } from "vitest";
import { Lender } from "../../src/workers/lender.ts";

it("lends each thing to one at a time, and to those in line in their order", async () => {
  let made = 0;
  const lender = new Lender(2, () => made++);
  const [a, b] = [await lender.acquire(), await lender.acquire()];
  expect([a, b]).toEqual([0, 1]);
  const order: string[] = [];
  const third = lender.acquire().then((thing) => order.push(`third has ${thing}`));
  const fourth = lender.acquire().then((thing) => order.push(`fourth has ${thing}`));
  lender.release(b);
  await third;
  lender.release(a);
  await fourth;
  expect(order).toEqual(["third has 1", "fourth has 0"]);
  expect(lender.made).toBe(2);
});
