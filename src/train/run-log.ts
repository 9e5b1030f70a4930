/**
 * @file The log of a training: a line of JSON for each event, written as it happens, so that `tail -f` and other programs
 * can follow.
 *
 * ```json
 * {"event":"start","settings":{"layers":"dense(256) | …","batch":128,…},"rows":{"train":8000,…},"path":"plain",…}
 * {"event":"step","step":1,"epoch":1,"rate":0.001,"loss":2.31,"accuracy":0.09,"gradientNorm":1.7}
 * {"event":"layers","step":40,"layers":[{"index":0,"gradientNorm":0.9},{"index":1,"dead":0.01}]}
 * {"event":"epoch","epoch":1,"step":63,"training":{"loss":0.9,"accuracy":0.8},"validation":{…},"seconds":0.4}
 * {"event":"checkpoint","step":63,"path":"digits.safetensors"}
 * {"event":"end","step":630,"reason":"done"}
 * ```
 *
 * Where a training goes on, the lines from after its checkpoint are cut off first: each step stands in the log once.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { ioError, OutputExistsError } from "../errors.ts";

export class RunLog {
  readonly #path: string;
  readonly #fd: number;

  /** A new log. @throws OutputExistsError, IoError */
  static create(path: string, overwrite: boolean): RunLog {
    return new RunLog(path, overwrite ? "w" : "wx");
  }

  /**
   * The log of a training that goes on, with what it says up to so many steps; or a new one, where there is none.
   * @throws OutputExistsError where the file is no log; IoError
   */
  static resume(path: string, step: number): RunLog {
    const log = new RunLog(path, "a+");
    try {
      ftruncateSync(log.#fd, log.#endOf(step));
    } catch (error) {
      log.close();
      throw error;
    }
    return log;
  }

  private constructor(path: string, flags: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, flags);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new OutputExistsError(path);
      throw ioError(cause as NodeJS.ErrnoException, "open the log", { path });
    }
  }

  /** Lines, one for each event. Numbers that JSON cannot hold become strings. */
  write(events: readonly object[]): void {
    if (events.length === 0) return;
    const text = Buffer.from(events.map((event) => `${JSON.stringify(event, plain)}\n`).join(""));
    try {
      for (let at = 0; at < text.length; ) at += writeSync(this.#fd, text, at);
    } catch (cause) {
      throw ioError(cause as NodeJS.ErrnoException, "write the log", { path: this.#path });
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Bytes up to the first line that is of a later step, or was not finished. */
  #endOf(step: number): number {
    let end = 0;
    for (const line of this.#lines()) {
      const { event, step: of = 0 } = eventOf(line);
      // Whoever named the wrong file would lose it.
      if (end === 0 && event !== "start" && event !== "resume") throw new OutputExistsError(this.#path);
      if (event === undefined || event === "end" || Number(of) > step) break;
      end += line.length;
    }
    return end;
  }

  /** The lines of the file with their ends; the last one may lack its end. */
  *#lines(): Generator<Buffer> {
    const chunk = Buffer.alloc(2 ** 20);
    let rest = Buffer.alloc(0);
    let at = 0;
    for (let count = -1; count !== 0; at += count) {
      count = readSync(this.#fd, chunk, 0, chunk.length, at);
      rest = Buffer.concat([rest, chunk.subarray(0, count)]);
      for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END)) {
        yield rest.subarray(0, end + 1);
        rest = rest.subarray(end + 1);
      }
    }
    if (rest.length > 0) yield rest;
  }
}

/** "\n" */
const END = 10;

/** What a line says; nothing where it is not whole. */
function eventOf(line: Buffer): { readonly event?: unknown; readonly step?: unknown } {
  if (line.at(-1) !== END) return {};
  try {
    return JSON.parse(line.toString()) ?? {};
  } catch {
    return {};
  }
}

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
