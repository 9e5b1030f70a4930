/** @file A promise that is settled from outside: the gradients that come when everything has passed. */
import { AbortError } from "../errors.ts";

export interface Pending<T> {
  readonly promise: Promise<T>;
  /** The first call of any of the three counts, later ones do nothing. */
  readonly settle: (value: T) => void;
  readonly fail: (error: unknown) => void;
  /** Nothing will come any more: an AbortError, unless it is settled. */
  readonly abandon: () => void;
}

/** A promise that nobody needs to watch: its rejection is not reported as unhandled. */
export function pending<T>(): Pending<T> {
  let settle: (value: T) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  promise.catch(() => {});
  return { promise, settle, fail, abandon: () => fail(new AbortError()) };
}
