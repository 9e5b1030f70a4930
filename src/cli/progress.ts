/** @file The progress line: drawn in place on a terminal by its own clock, gone at the end. */
import type { Progress } from "../pipeline/options.ts";
import { renderProgress } from "./progress-text.ts";
import type { Style } from "./style.ts";
import { displayWidth } from "./text.ts";

/** What the progress line asks of a terminal; `process.stderr` is one. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

const FRAME_MS = 100;
/** A run that is over sooner draws nothing but its summary. */
const FIRST_MS = 250;
/** The rate is that of the last seconds, so that the time left follows a disk that slows down. */
const RATE_WINDOW_MS = 5000;

/**
 * Draws by a clock of its own, so that a stalled input shows as one. The cursor is never hidden: nothing has to bring
 * it back, whatever ends the process.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #label: string;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #start: number;
  readonly #timer: NodeJS.Timeout;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];
  #latest: Progress | undefined;
  #drawn = 0;
  #closed = false;

  constructor(terminal: Terminal, label: string, style: Style, now = (): number => performance.now()) {
    this.#terminal = terminal;
    this.#label = label;
    this.#style = style;
    this.#now = now;
    this.#start = now();
    this.#timer = setInterval(() => this.draw(), FRAME_MS).unref();
    terminal.on("resize", this.#onResize);
    process.on("exit", this.#onExit);
  }

  update(progress: Progress): void {
    this.#latest = progress;
  }

  draw(): void {
    const at = this.#now();
    if (this.#closed || this.#latest === undefined || at - this.#start < FIRST_MS) return;
    const { bytes, totalBytes, rows } = this.#latest;
    const state = {
      bytes,
      totalBytes,
      rows,
      rate: this.#rate(at, bytes),
      seconds: (at - this.#start) / 1000,
    };
    // Three cells stay free: a full line would wrap, and so would one that Ctrl-C puts its ^C behind.
    const line = renderProgress(this.#label, state, this.#columns() - 3, this.#style);
    this.#terminal.write(`\r${line}\x1b[K`);
    this.#drawn = displayWidth(line);
  }

  /** Takes the line away and stops. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#terminal.off("resize", this.#onResize);
    process.off("exit", this.#onExit);
    if (this.#drawn > 0) this.#terminal.write("\r\x1b[K");
  }

  #columns(): number {
    return Math.max(20, this.#terminal.columns || 80);
  }

  #rate(at: number, bytes: number): number | undefined {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= RATE_WINDOW_MS) this.#samples.shift();
    const oldest = at - this.#start < RATE_WINDOW_MS ? { at: this.#start, bytes: 0 } : this.#samples[0]!;
    return at > oldest.at && bytes > 0 ? (1000 * (bytes - oldest.bytes)) / (at - oldest.at) : undefined;
  }

  /** A terminal that narrows folds the line that stands there into several: clear them all, then draw anew. */
  readonly #onResize = (): void => {
    const above = Math.ceil(this.#drawn / this.#columns()) - 1;
    if (above > 0) this.#terminal.write(`\x1b[${above}A\r\x1b[J`);
    this.draw();
  };

  readonly #onExit = (): void => this.close();
}
