/** @file What every row of a run has at hand: the options, the build, the files, and a line to say how far it is. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TensorFile, writeTensorFile } from "./inputs.ts";
import type { Options } from "./options.ts";
import { account } from "./process.ts";
import { Settler } from "./settle.ts";
import type { Elements } from "./verify.ts";

/** Threads that everyone gets, us and the others. */
export const THREADS = 2;
/** Elements of a row, except where a row is about tiny ones. */
const WIDTH = 1024;
/** Input files that stay at once: memory is for the page cache of the files in use. */
const MOST_KEPT_BYTES = 6 * 1024 ** 3;

export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  readonly elements: readonly Elements[];
}

export class Bench {
  readonly options: Options;
  /** For all files of the run, the compiled helpers included. */
  readonly directory: string;
  readonly build: string;
  /** A Python with the packages of `requirements.txt`, if there is one. */
  readonly python: string | undefined;
  readonly #report: (text: string) => void;
  #settler: Settler | undefined;
  #row = "";
  #inputs: InputFile[] = [];

  constructor(parts: {
    options: Options;
    directory: string;
    build: string;
    python: string | undefined;
    report(text: string): void;
  }) {
    this.options = parts.options;
    this.directory = parts.directory;
    this.build = parts.build;
    this.python = parts.python;
    this.#report = parts.report;
  }

  /** Makes the machine the same before every run. */
  settle(): Promise<void> {
    this.#settler ??= new Settler(this);
    return this.#settler.settle();
  }

  close(): void {
    this.#settler?.close();
  }

  /** What follows belongs to this row. */
  begin(row: string): void {
    this.#row = row;
  }

  progress(text: string): void {
    this.#report(`${this.#row}: ${text}`);
  }

  /** A path in the directory of the run. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** The command line of `sluice …` in the build that is measured. */
  sluice(...argv: readonly string[]): string[] {
    return [process.execPath, join(this.build, "cli/main.js"), ...argv];
  }

  /** `sluice apply leaky_relu`, with as many workers as all others get threads. */
  apply(input: string, output: string, ...more: readonly string[]): string[] {
    return this.sluice(
      "apply",
      "leaky_relu",
      input,
      output,
      "--workers",
      String(THREADS),
      "--quiet",
      ...more,
    );
  }

  /** A file of about `bytes` bytes of float32 in `batches` batches; made once, and on the disk before it is used. */
  async input(bytes: number, batches: number, format: TensorFile["format"] = "arrow"): Promise<InputFile> {
    return this.file({ format, batches, rows: rowsOf(bytes, batches), width: WIDTH });
  }

  /** The same with two columns, `x` and `dy`; the elements are those of `dy`. */
  async inputPair(bytes: number, batches: number): Promise<InputFile> {
    const rows = rowsOf(bytes / 2, batches);
    return this.file({ format: "arrow", batches, rows, width: WIDTH, columns: ["x", "dy"] });
  }

  async file(shape: TensorFile): Promise<InputFile> {
    const { format, batches, rows, width, columns = ["tensor"] } = shape;
    const path = this.path(`${columns.join("-")}-${batches}x${rows}x${width}.${format}`);
    const known = this.#inputs.find((input) => input.path === path);
    if (known) return known;
    const count = rows * width;
    const bytes = batches * count * columns.length * 4;
    while (
      this.#inputs.length > 0 &&
      bytes + this.#inputs.reduce((sum, input) => sum + input.bytes, 0) > MOST_KEPT_BYTES
    ) {
      rmSync(this.#inputs.shift()!.path);
    }
    this.progress(`write ${path}`);
    const offsets = writeTensorFile(path, shape);
    // Otherwise the disk would still be busy with it while the first rounds run.
    await account(["sync", "-f", this.directory], this.directory);
    const input = { path, bytes, elements: offsets.map((offset) => ({ offset, count })) };
    this.#inputs.push(input);
    return input;
  }
}

function rowsOf(bytes: number, batches: number): number {
  const rows = bytes / 4 / WIDTH / batches;
  if (!Number.isInteger(rows)) throw new Error(`${bytes} bytes do not go into ${batches} batches`);
  return rows;
}

/** The Python to use: the one that was named, the one beside this file, or the system's; if it has the packages. */
export async function findPython(named: string | undefined, tools: string): Promise<string | undefined> {
  const own = join(import.meta.dirname, ".venv/bin/python");
  const python = named ?? (existsSync(own) ? own : "python3");
  try {
    await account([python, "-c", "import numpy, pyarrow, torch"], tools);
    return python;
  } catch (error) {
    if (named !== undefined) throw error;
    return undefined;
  }
}
