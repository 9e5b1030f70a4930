/**
 * @file The worker pool: one Piscina over one arena for the whole process, shared by every transform. Idle workers do
 * not keep the process alive.
 */
import type { Piscina } from "piscina";
import { WorkerError } from "../errors.ts";
import { Arena } from "./arena.ts";
import { failure } from "./failure.ts";
import type { Outcome, Task } from "./task.ts";

let arena: Arena | undefined;
let current: Pool | undefined;

/** The arena of this process. */
export function sharedArena(): Arena {
  arena ??= new Arena();
  return arena;
}

/**
 * The pool of this process, with at least `threads` workers; starts it where there is none. A larger one takes the place
 * of a smaller, which ends with its last user. Every call needs its `release()`.
 */
export function acquirePool(threads: number): Pool {
  if (!current || current.threads < threads || current.broken) {
    current?.retire();
    current = new Pool(threads, sharedArena());
  }
  current.users++;
  return current;
}

/** Ends the pool once nobody uses it. A later transform starts a new one. */
export async function closePool(): Promise<void> {
  const pool = current;
  current = undefined;
  await pool?.retire();
}

export class Pool {
  readonly threads: number;
  users = 0;
  /** Whether a worker answers already: before that, work is done sooner elsewhere. */
  ready = false;
  /** Set when workers cannot even start. */
  broken: Error | undefined;
  readonly #started: Promise<Piscina>;
  #retired = false;
  #ended: Promise<void> | undefined;
  /** Those who wait for the end. */
  readonly #waiting: (() => void)[] = [];

  constructor(threads: number, { memory }: Arena) {
    this.threads = threads;
    this.#started = start(threads, memory);
    this.#started
      .then(async (piscina) => {
        // A worker that cannot load its file makes no task fail, and every later one hang, but says so here.
        piscina.on("error", (error: Error) => this.#break(error));
        // Nor is one replaced that ends while it starts; when it was the last one, nobody would take the tasks in line.
        piscina.on("workerDestroy", () => {
          setImmediate(() => {
            const stuck = piscina.threads.length === 0 && piscina.queueSize > 0;
            if (stuck) this.#break(new Error("no thread is left"));
          });
        });
        await piscina.run(null, { name: "ping" });
        this.ready = true;
      })
      .catch((error: Error) => this.#break(error));
  }

  /** Runs one task in any worker. Rejects with a SluiceError. */
  async run(task: Task): Promise<void> {
    const outcome = await this.#run<Outcome>(task);
    if (!outcome.ok) throw failure(outcome);
  }

  /**
   * Runs a task of another kind in any worker.
   *
   * @param filename of the module whose default export does it
   */
  runIn<Result>(filename: string, task: unknown): Promise<Result> {
    return this.#run<Result>(task, { filename });
  }

  async #run<Result>(task: unknown, options: { readonly filename?: string } = {}): Promise<Result> {
    try {
      const piscina = await this.#started;
      if (this.broken) throw this.broken;
      return await piscina.run(task, options);
    } catch (error) {
      // Of a pool that was ended, tasks fail before their threads are gone; until then these may write to their slots.
      await this.#ended;
      const cause = this.broken ?? error;
      throw new WorkerError(
        `A worker thread failed: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
          remedy: "Run it again; if it was out of memory, give it fewer --workers.",
        },
      );
    }
  }

  release(): void {
    this.users--;
    if (!this.#retired || this.users > 0) return;
    void this.#end().then(() => {
      for (const resolve of this.#waiting) resolve();
    });
  }

  /** Ends the workers when the last user has released the pool; settles then. */
  retire(): Promise<void> {
    this.#retired = true;
    if (this.users === 0) return this.#end();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Fails the tasks under way and in line, and all that come. */
  #break(error: Error): void {
    this.broken ??= error;
    void this.#end();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#started.then(
      (piscina) => piscina.destroy(),
      () => {},
    );
    return this.#ended;
  }
}

/**
 * Piscina tries `require` before `import`; and where Node can require an ES module, a worker that is ended just then takes
 * the whole process down (seen on 20.20: "facade->InstantiateModule … IsJust failed").
 */
const WITHOUT_REQUIRE_ESM = process.allowedNodeEnvironmentFlags.has("--experimental-require-module")
  ? ["--no-experimental-require-module"]
  : [];

async function start(threads: number, memory: WebAssembly.Memory): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  // From source the workers are TypeScript too, and need the loader that this process runs under.
  const fromSource = import.meta.url.endsWith(".ts");
  // Node connects each worker to these; it would warn of a leak when whoever runs us listens too.
  for (const stream of [process.stdout, process.stderr]) {
    stream.setMaxListeners(stream.getMaxListeners() + threads);
  }
  return new Piscina({
    filename: new URL(fromSource ? "./entry.ts" : "./entry.js", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    workerData: { memory },
    execArgv: [...WITHOUT_REQUIRE_ESM, ...(fromSource ? ["--import", "tsx"] : [])],
  });
}
