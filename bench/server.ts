/** @file A process that answers each line with a line. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Server {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor([command = "", ...argv]: readonly string[]) {
    this.#child = spawn(command, argv, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<number> {
    this.#child.stdin!.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnfile} has ended`);
    return Number(value);
  }

  /** It ends with its input. */
  close(): void {
    this.#child.stdin!.end();
  }
}
