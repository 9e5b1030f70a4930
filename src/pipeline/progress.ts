/** @file Counts what is done, and tells whoever asked, not too often. */
import type { Device } from "../device.ts";
import type { Progress } from "./options.ts";
import type { Tally } from "./tally.ts";

/** Milliseconds between two reports: as often as an eye can follow. */
const INTERVAL = 50;

export class ProgressMeter {
  readonly #started = performance.now();
  readonly #totalBytes: number | undefined;
  readonly #device: Pick<Device, "name" | "api" | "reason">;
  readonly #report: ((progress: Progress) => void) | undefined;
  #reported = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  #rows = 0;
  #batches = 0;
  #elements = 0;
  #bytesWritten = 0;

  constructor(
    totalBytes: number | undefined,
    device: Pick<Device, "name" | "api" | "reason">,
    report: ((progress: Progress) => void) | undefined,
  ) {
    this.#totalBytes = totalBytes;
    this.#device = device;
    this.#report = report;
  }

  add(tally: Tally, bytesWritten: number): void {
    this.#bytes += tally.inputBytes;
    this.#rows += tally.rows;
    this.#batches += tally.batches;
    this.#elements += tally.elements;
    this.#bytesWritten += bytesWritten;
    if (this.#report && performance.now() - this.#reported >= INTERVAL) this.#tell(this.#report);
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** All is done: the last report, which may throw like any, and what it said. */
  finish(): Progress {
    // A walk that seeks passes over bytes that it need not read, such as a footer.
    this.#bytes = Math.max(this.#bytes, this.#totalBytes ?? 0);
    if (this.#report) this.#tell(this.#report);
    return this.progress;
  }

  #tell(report: (progress: Progress) => void): void {
    this.#reported = performance.now();
    report(this.progress);
  }

  get progress(): Progress {
    const seconds = (performance.now() - this.#started) / 1000;
    return {
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      rows: this.#rows,
      batches: this.#batches,
      elements: this.#elements,
      seconds,
      bytesPerSecond: seconds > 0 ? this.#bytes / seconds : 0,
      device: this.#device.name,
      deviceApi: this.#device.api,
      deviceReason: this.#device.reason,
    };
  }
}
