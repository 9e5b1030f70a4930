/** @file The progress line of a pass over a file. */
import type { Progress } from "../pipeline/options.ts";
import { describeDevice } from "./device-text.ts";
import { LiveLine, type Terminal } from "./live-line.ts";
import { renderProgress } from "./progress-text.ts";
import type { Style } from "./style.ts";

export type { Terminal };

/** The rate is that of the last seconds, so that the time left follows a disk that slows down. */
const RATE_WINDOW_MS = 5000;

export class ProgressLine {
  readonly #line: LiveLine;
  readonly #label: string;
  readonly #style: Style;
  readonly #start: number;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];
  #latest: Progress | undefined;

  constructor(terminal: Terminal, label: string, style: Style, now = (): number => performance.now()) {
    [this.#label, this.#style, this.#start] = [label, style, now()];
    this.#line = new LiveLine(terminal, (width, at) => this.#render(width, at), now);
  }

  update(progress: Progress): void {
    this.#latest = progress;
  }

  draw(): void {
    this.#line.draw();
  }

  /** Takes the line away and stops. */
  close(): void {
    this.#line.close();
  }

  #render(width: number, at: number): string | undefined {
    if (this.#latest === undefined) return undefined;
    const { bytes, totalBytes, rows } = this.#latest;
    const seconds = (at - this.#start) / 1000;
    const device = describeDevice(this.#latest);
    const state = { bytes, totalBytes, rows, rate: this.#rate(at, bytes), seconds, device };
    return renderProgress(this.#label, state, width, this.#style);
  }

  #rate(at: number, bytes: number): number | undefined {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= RATE_WINDOW_MS) this.#samples.shift();
    const oldest = at - this.#start < RATE_WINDOW_MS ? { at: this.#start, bytes: 0 } : this.#samples[0]!;
    return at > oldest.at && bytes > 0 ? (1000 * (bytes - oldest.bytes)) / (at - oldest.at) : undefined;
  }
}
