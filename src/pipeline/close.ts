/** @file Ends what the library keeps between transforms. */
import { closePool } from "../workers/pool.ts";

/**
 * Ends the worker threads, once the transforms that use them are done. Idle threads do not keep a process alive, so this
 * is for hosts that go on and want the memory back; a later transform starts new ones.
 *
 * ```ts
 * await transform("in.arrow", "out.arrow", { ops: "leaky_relu" });
 * await close();
 * ```
 */
export function close(): Promise<void> {
  return closePool();
}
