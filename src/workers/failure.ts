/** @file The error that a failed read or write of a window stands for. */
import { ioError, type SluiceError, TruncatedError } from "../errors.ts";
import type { Failure } from "./task.ts";

export function failure({ action, cause, path, byteOffset }: Failure): SluiceError {
  if (cause || action === "write") {
    return ioError(cause ?? new Error("no byte was written"), action, { path, byteOffset });
  }
  return new TruncatedError("The input became shorter while it was read", {
    position: { path, byteOffset },
    remedy: "Let whatever writes the input finish first.",
  });
}
