/** @file Signals: the first asks the library to stop and clean up, the second ends the process at once. */
import { AbortError } from "../errors.ts";
import { EXIT } from "./exit.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work` with an AbortSignal that SIGINT, SIGTERM and SIGHUP fire.
 * @throws AbortError where `work` failed after a signal, whatever its own error was: a neighbour in the same pipe got the
 *   signal too, so the input may well have ended early
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    // The library's exit hook removes its temporary file.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error(`received ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? new AbortError(error) : error;
  } finally {
    // After one signal, those that follow still have to end with the same exit code.
    if (!controller.signal.aborted) for (const name of SIGNALS) process.off(name, onSignal);
  }
}
