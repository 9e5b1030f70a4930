/** @file A line that is drawn in place on a terminal, again and again by its own clock, and gone at the end. */
import { displayWidth } from "./text.ts";

/** What the line asks of a terminal; `process.stderr` is one. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

const FRAME_MS = 100;
/** A run that is over sooner draws nothing but its summary. */
const FIRST_MS = 250;

/**
 * Draws by a clock of its own, so that what stalls shows as such. The cursor is never hidden: nothing has to bring it back,
 * whatever ends the process.
 */
export class LiveLine {
  readonly #terminal: Terminal;
  readonly #render: (width: number, now: number) => string | undefined;
  readonly #now: () => number;
  readonly #start: number;
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;
  #closed = false;

  /** @param render the line of at most `width` cells at a time in milliseconds; undefined where there is nothing to draw yet */
  constructor(
    terminal: Terminal,
    render: (width: number, now: number) => string | undefined,
    now = (): number => performance.now(),
  ) {
    [this.#terminal, this.#render, this.#now] = [terminal, render, now];
    this.#start = now();
    this.#timer = setInterval(() => this.draw(), FRAME_MS).unref();
    terminal.on("resize", this.#onResize);
    process.on("exit", this.#onExit);
  }

  draw(): void {
    const at = this.#now();
    if (this.#closed || at - this.#start < FIRST_MS) return;
    // Three cells stay free: a full line would wrap, and so would one that Ctrl-C puts its ^C behind.
    const line = this.#render(this.#columns() - 3, at);
    if (line === undefined) return;
    this.#terminal.write(`\r${line}\x1b[K`);
    this.#drawn = displayWidth(line);
  }

  /** Puts lines above, where they stay. */
  print(lines: string): void {
    this.#erase();
    this.#terminal.write(lines);
    this.draw();
  }

  /** Takes the line away and stops. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#terminal.off("resize", this.#onResize);
    process.off("exit", this.#onExit);
    this.#erase();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#terminal.write("\r\x1b[K");
    this.#drawn = 0;
  }

  #columns(): number {
    return Math.max(20, this.#terminal.columns || 80);
  }

  /** A terminal that narrows folds the line that stands there into several: clear them all, then draw anew. */
  readonly #onResize = (): void => {
    const above = Math.ceil(this.#drawn / this.#columns()) - 1;
    if (above > 0) this.#terminal.write(`\x1b[${above}A\r\x1b[J`);
    this.draw();
  };

  readonly #onExit = (): void => this.close();
}
