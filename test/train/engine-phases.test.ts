/** @file Phases: every item once, one phase after the other, and nothing after a stop. */
import { expect, it } from "vitest";
import { type Phase, Phases } from "../../src/train/engine/phases.ts";
import { sharedArena } from "../../src/workers/pool.ts";

const COUNTS = [3, 1, 4];

function made(note: (text: string) => void, finish: (phase: number) => boolean = () => true) {
  const { memory } = sharedArena();
  const address = sharedArena().allocate(Phases.bytes(COUNTS.length));
  const phases = new Phases(memory, address, COUNTS.length);
  phases.reset();
  const phaseAt = (index: number): Phase => ({
    items: COUNTS[index]!,
    run: (item) => note(`${index}.${item}`),
    finish: () => {
      note(`end ${index}`);
      return finish(index);
    },
  });
  return { phases, phaseAt };
}

it("one thread alone does all items, phase by phase", () => {
  const seen: string[] = [];
  const { phases, phaseAt } = made((text) => seen.push(text));
  phases.work(COUNTS.length, phaseAt);
  expect(seen.join(" ")).toBe("0.0 0.1 0.2 end 0 1.0 end 1 2.0 2.1 2.2 2.3 end 2");
  // A late one finds nothing to do.
  phases.work(COUNTS.length, phaseAt);
  expect(seen).toHaveLength(11);
});

it("begins anew after a reset", () => {
  const seen: string[] = [];
  const { phases, phaseAt } = made((text) => seen.push(text));
  for (let turn = 0; turn < 2; turn++) {
    phases.reset();
    phases.work(COUNTS.length, phaseAt);
  }
  expect(seen).toHaveLength(22);
});

it("a phase that says no is the last one", () => {
  const seen: string[] = [];
  const { phases, phaseAt } = made(
    (text) => seen.push(text),
    (phase) => phase !== 1,
  );
  phases.work(COUNTS.length, phaseAt);
  expect(seen.at(-1)).toBe("end 1");
});

it("an abort ends it after the item in hand", () => {
  const seen: string[] = [];
  const { phases, phaseAt } = made((text) => {
    seen.push(text);
    if (text === "end 0") phases.abort();
  });
  phases.work(COUNTS.length, phaseAt);
  expect(seen.at(-1)).toBe("end 0");
});
