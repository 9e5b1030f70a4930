import { describe, expect, it } from "vitest";
import { errorToJson, exitCodeOf, isBrokenPipe, renderError } from "../../src/cli/report-error.ts";
import { styleFor } from "../../src/cli/style.ts";
import {
  AbortError,
  ColumnError,
  CorruptError,
  IoError,
  MemoryError,
  NotRecognisedError,
  OpSyntaxError,
  OutputExistsError,
  TrainingError,
  TruncatedError,
  UnsupportedError,
  UsageError,
  WorkerError,
} from "../../src/errors.ts";

const options = { style: styleFor(false, {}), width: Number.POSITIVE_INFINITY, debug: false };
const system = (code: string) =>
  Object.assign(new Error(`${code}: no such luck, open 'x'`), { code, syscall: "open" });

describe("an exit code", () => {
  it.each([
    [new UsageError("x"), 2],
    [new OpSyntaxError("x", "y", 0), 2],
    [new AbortError(), 130],
    [new IoError("x", { cause: system("EPIPE") }), 141],
    [system("EPIPE"), 141],
    [new IoError("x", { cause: system("ENOSPC") }), 1],
    [new OutputExistsError("x"), 1],
    [new ColumnError("x"), 1],
    [new CorruptError("x"), 1],
    [new TruncatedError("x"), 1],
    [new NotRecognisedError("x"), 1],
    [new UnsupportedError("x"), 1],
    [new WorkerError("x"), 1],
    [new MemoryError("x"), 1],
    [new TypeError("a bug"), 1],
    ["not even an error", 1],
  ])("of %s is %d", (error, code) => expect(exitCodeOf(error)).toBe(code));

  it("looks for EPIPE at any depth", () => {
    const wrapped = new WorkerError("x", { cause: new IoError("y", { cause: system("EPIPE") }) });
    expect(isBrokenPipe(wrapped)).toBe(true);
    expect(isBrokenPipe(new WorkerError("x"))).toBe(false);
  });
});

describe("an error on stderr", () => {
  it("says what and where, then what to do", () => {
    const error = new CorruptError("a length is negative", {
      position: { path: "in.arrow", batch: 3, byteOffset: 4096 },
      remedy: "Write the file again.",
    });
    expect(renderError(error, options)).toBe(
      "sluice: a length is negative (in.arrow, batch 3, byte 4096)\n  Write the file again.\n",
    );
  });

  it("points at the character of an op", () => {
    const error = new OpSyntaxError("there is no op leky", "mul(2) | leky", 9, {
      remedy: "Did you mean leaky_relu?",
    });
    expect(renderError(error, options)).toBe(
      "sluice: there is no op leky\n  mul(2) | leky\n           ^\n  Did you mean leaky_relu?\n",
    );
  });

  it("lets no name from a file write to the terminal", () => {
    const text = renderError(new ColumnError("column \x1b[2J\u009b is no tensor"), options);
    expect(text).toBe("sluice: column \\u001b[2J\\u009b is no tensor\n");
  });

  it("wraps the remedy to the terminal", () => {
    const error = new UsageError("x", { remedy: "a remedy of several words\nand another line" });
    expect(renderError(error, { ...options, width: 20 })).toBe(
      "sluice: x\n  a remedy of\n  several words\n  and another line\n",
    );
  });

  it("shows a stack only when asked, or when it is a bug", () => {
    const expected = new UsageError("x");
    expect(renderError(expected, options)).not.toContain("    at ");
    expect(renderError(expected, { ...options, debug: true })).toContain("    at ");
    const bug = renderError(new TypeError("undefined is not a function"), options);
    expect(bug).toMatch(/^sluice: this is a bug in sluice: TypeError: undefined is not a function\n/);
    expect(bug).toContain("    at ");
    expect(renderError(system("ENOENT"), options)).toBe("sluice: ENOENT: no such luck, open 'x'\n");
  });
});

describe("an error as JSON", () => {
  it("has code, message, position and remedy", () => {
    const error = new CorruptError("bad", { position: { path: "a", byteOffset: 8 }, remedy: "Do." });
    expect(errorToJson(error)).toEqual({
      error: {
        code: "ERR_CORRUPT",
        message: "bad (a, byte 8)",
        position: { path: "a", byteOffset: 8 },
        remedy: "Do.",
      },
    });
  });

  it("has the character of an op at fault", () => {
    expect(errorToJson(new OpSyntaxError("bad", "leky", 0)).error.position).toEqual({
      source: "leky",
      index: 0,
    });
  });

  it("has the step and the layer at which a training stopped", () => {
    const position = (layer?: number) =>
      errorToJson(new TrainingError("bad", { step: 7, layer })).error.position;
    expect(position(2)).toEqual({ step: 7, layer: 2 });
    expect(position()).toEqual({ step: 7 });
  });

  it("has a code for what is not ours", () => {
    expect(errorToJson(system("ENOENT")).error.code).toBe("ERR_IO");
    expect(errorToJson(new TypeError("x")).error.code).toBe("ERR_INTERNAL");
    expect(errorToJson(undefined).error).toMatchObject({ code: "ERR_INTERNAL", remedy: null });
  });
});
