/** @file Errors for people (stderr), for scripts (`--json`) and for the shell (the exit code). */
import { OpSyntaxError, SluiceError, TrainingError } from "../errors.ts";
import type { Glance } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { print, toJson } from "./print.ts";
import { type Style, styleFor, widthOf } from "./style.ts";
import { printable, printableLines, wrap } from "./text.ts";

/** Tells of an error where the command line asked for it, and returns the exit code. Never rejects. */
export async function reportError(error: unknown, { json, quiet, dataOnStdout }: Glance): Promise<number> {
  const code = exitCodeOf(error);
  // Nothing is wrong that the user does not know: a reader left, or they interrupted it.
  const silent = code === EXIT.brokenPipe || (code === EXIT.interrupted && quiet && !json);
  if (silent) return code;
  const { stderr, env } = process;
  const style = styleFor(stderr.isTTY === true, env);
  const written = json
    ? print(toJson(errorToJson(error)), dataOnStdout ? "stderr" : "stdout")
    : print(renderError(error, { style, width: widthOf(stderr), debug: env.SLUICE_DEBUG === "1" }), "stderr");
  await written.catch(() => {});
  return code;
}

export function exitCodeOf(error: unknown): number {
  if (isBrokenPipe(error)) return EXIT.brokenPipe;
  if (!(error instanceof SluiceError)) return EXIT.failed;
  switch (error.code) {
    case "ERR_USAGE":
    case "ERR_OP_SYNTAX":
      return EXIT.usage;
    case "ABORT_ERR":
      return EXIT.interrupted;
    default:
      return EXIT.failed;
  }
}

/** Whether the reader of the output closed it; the library wraps the system's error as a cause. */
export function isBrokenPipe(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (codeOf(each) === "EPIPE") return true;
  }
  return false;
}

export interface ErrorTextOptions {
  readonly style: Style;
  /** Cells of a line. */
  readonly width: number;
  /** Whether to show the stack of an expected error too (SLUICE_DEBUG=1). */
  readonly debug: boolean;
}

/**
 * ```text
 * sluice: what is wrong, and where
 *   what to do about it
 * ```
 */
export function renderError(error: unknown, { style, width, debug }: ErrorTextOptions): string {
  const prefix = style.red(style.bold("sluice:"));
  const stack = error instanceof Error && error.stack ? `${printableLines(error.stack)}\n` : "";
  if (error instanceof SluiceError && error.code === "ABORT_ERR" && !debug) return `${prefix} interrupted\n`;
  if (error instanceof SluiceError) {
    const remedy =
      error.remedy === undefined
        ? []
        : error.remedy.split("\n").flatMap((line) => wrap(printable(line), width - 2));
    const text = [`${prefix} ${printableLines(error.message)}`, ...remedy.map((line) => `  ${line}`)].join(
      "\n",
    );
    return `${text}\n${debug ? stack : ""}`;
  }
  if (isSystemError(error)) return `${prefix} ${printableLines(error.message)}\n${debug ? stack : ""}`;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    `${prefix} this is a bug in sluice: ${printableLines(message)}\n` +
    `  Please report it with the command and the lines below.\n${stack}`
  );
}

/**
 * The value of `"error"` in `--json` output. For an op that cannot be understood, `position.index` is the character; for a
 * training that stopped, `position.step` and `position.layer` count from 0.
 */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly position: Readonly<Record<string, string | number>>;
  readonly remedy: string | null;
}

/** Where it went wrong, for errors that have a place of their own kind. */
function placeOf(error: SluiceError): ErrorJson["position"] {
  if (error instanceof OpSyntaxError) return { source: error.source, index: error.index };
  if (!(error instanceof TrainingError)) return {};
  const { step, layer } = error;
  return layer === undefined ? { step } : { step, layer };
}

export function errorToJson(error: unknown): { readonly error: ErrorJson } {
  if (error instanceof SluiceError) {
    const { code, message, remedy = null } = error;
    return { error: { code, message, position: { ...error.position, ...placeOf(error) }, remedy } };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = isSystemError(error) ? "ERR_IO" : "ERR_INTERNAL";
  return { error: { code, message, position: {}, remedy: null } };
}

/** Errors of the operating system that reach here unwrapped: not our bug, and their message says enough. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && /^E[A-Z0-9]+$/.test(codeOf(error) ?? "") && "syscall" in error;
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
