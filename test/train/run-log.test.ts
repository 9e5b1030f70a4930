import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { IoError, OutputExistsError } from "../../src/errors.ts";
import { RunLog } from "../../src/train/run-log.ts";
import { temporaryDirectory } from "../support/directory.ts";

const directory = temporaryDirectory();
const linesOf = (path: string): unknown[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("each event is a line of JSON; numbers that JSON does not know are texts", () => {
  const path = directory.path("a.jsonl");
  const log = RunLog.create(path, false);
  log.write([
    { event: "step", loss: 0.5 },
    { event: "step", loss: Number.NaN },
  ]);
  log.write([]);
  log.close();
  expect(linesOf(path)).toEqual([
    { event: "step", loss: 0.5 },
    { event: "step", loss: "NaN" },
  ]);
});

test("a training that goes on cuts off what came after its checkpoint, and what was not finished", () => {
  const before = [{ event: "start" }, { event: "step", step: 1 }, { event: "checkpoint", step: 1 }];
  const text = [...before, { event: "step", step: 2 }, { event: "step", step: 3 }].map((each) =>
    JSON.stringify(each),
  );
  for (const after of ["", "\n", '\n{"event":"st', '\n{"event":"step","step":1}']) {
    const path = directory.write("b.jsonl", text.join("\n") + after);
    const log = RunLog.resume(path, 1);
    log.write([{ event: "resume", step: 1 }]);
    log.close();
    expect(linesOf(path)).toEqual([...before, { event: "resume", step: 1 }]);
  }
  const path = directory.write("c.jsonl", `${text.slice(0, 2).join("\n")}\n{"event":"st`);
  RunLog.resume(path, 9).close();
  expect(linesOf(path)).toEqual(before.slice(0, 2));
});

test("a log of many lines is cut at the right one", () => {
  const events = Array.from({ length: 40_000 }, (_, i) => ({
    event: i === 0 ? "start" : "step",
    step: i,
    loss: i / 7,
  }));
  const path = directory.write("d.jsonl", events.map((each) => `${JSON.stringify(each)}\n`).join(""));
  RunLog.resume(path, 33_333).close();
  expect(linesOf(path)).toEqual(events.slice(0, 33_334));
});

test("where there is no log it is begun, and a file that is none is left alone", () => {
  const path = directory.path("e.jsonl");
  const log = RunLog.resume(path, 5);
  log.write([{ event: "resume", step: 5 }]);
  log.close();
  expect(linesOf(path)).toEqual([{ event: "resume", step: 5 }]);
  for (const text of ["notes\n", "notes", '{"a":1}\n']) {
    const other = directory.write("f.txt", text);
    expect(() => RunLog.resume(other, 5)).toThrow(OutputExistsError);
    expect(readFileSync(other, "utf8")).toBe(text);
  }
});

test("a log that exists is not written over, unless that is allowed", () => {
  const path = directory.write("g.jsonl", "old\n");
  expect(() => RunLog.create(path, false)).toThrow(OutputExistsError);
  RunLog.create(path, true).close();
  expect(readFileSync(path, "utf8")).toBe("");
  expect(() => RunLog.create(directory.path("no/h.jsonl"), false)).toThrow(IoError);
});
