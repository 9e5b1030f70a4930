/** @file The text of an optimiser and of a schedule of its rate: `adam(lr=1e-3)`, `cosine(warmup=100)`. */
import { OpSyntaxError } from "../errors.ts";
import { nearest } from "../ops/suggest.ts";
import { type Call, oneLine, parseCalls } from "./call-text.ts";
import { OPTIMIZER_SETTINGS, type Optimizer, type OptimizerName, optimizer } from "./optimizers.ts";
import { RATE_SETTINGS, type RateName, type RateSchedule, rateSchedule } from "./rates.ts";

/** @throws OpSyntaxError that points at the character at fault, UsageError for a value out of range */
export function parseOptimizer(text: string): Optimizer {
  const call = single(text, "optimiser", OPTIMIZER_SETTINGS);
  return optimizer(call.name as OptimizerName, settingsOf(text, call, OPTIMIZER_SETTINGS));
}

/** @throws OpSyntaxError that points at the character at fault, UsageError for a value out of range */
export function parseRateSchedule(text: string): RateSchedule {
  const call = single(text, "schedule", RATE_SETTINGS);
  return rateSchedule(call.name as RateName, settingsOf(text, call, RATE_SETTINGS));
}

type Known = Readonly<Record<string, Readonly<Record<string, number>>>>;

function single(text: string, what: string, known: Known): Call {
  const [call, second] = parseCalls(text);
  if (second) fail(text, second.at, `there is one ${what}, not a chain`);
  if (Object.hasOwn(known, call!.name)) return call!;
  return fail(text, call!.at, `unknown ${what} ${JSON.stringify(call!.name)}`, meant(call!.name, known));
}

/** What is on or off is a number, as all settings are. */
const WORDS: ReadonlyMap<string, number> = new Map([
  ["true", 1],
  ["false", 0],
]);

function settingsOf(text: string, call: Call, known: Known): Record<string, number> {
  const settings: Record<string, number> = {};
  const names = Object.keys(known[call.name]!);
  for (const [place, { name = names[place], value, at }] of call.arguments.entries()) {
    if (name === undefined) fail(text, at, `${call.name} takes ${names.length} values: ${names.join(", ")}`);
    if (!names.includes(name)) {
      fail(
        text,
        at,
        `${call.name} has no setting ${JSON.stringify(name)}`,
        `Its settings: ${names.join(", ")}.`,
      );
    }
    if (Object.hasOwn(settings, name)) fail(text, at, `${name} is given twice`, "Remove one of the two.");
    const number = typeof value === "string" ? WORDS.get(value) : value;
    if (typeof number !== "number") fail(text, at, `${name} of ${call.name} must be a number`);
    settings[name] = number;
  }
  return settings;
}

function meant(name: string, known: Known): string {
  const names = Object.keys(known).map((each) => ({ name: each, aliases: [] }));
  const near = nearest(name, names);
  return near === undefined ? `Known: ${Object.keys(known).join(", ")}.` : `Did you mean ${near}?`;
}

function fail(text: string, at: number, problem: string, remedy?: string): never {
  throw new OpSyntaxError(problem, oneLine(text), at, remedy === undefined ? {} : { remedy });
}
