/**
 * @file How parameters of an op are learned, as text: the words between the values of a call.
 *
 * ```text
 *   learn                 the first parameter          learn=[0, 1]    the same, kept within bounds
 *   learn=hi              the parameter named          keep=[0, 2]     bounds of the one before
 *   each                  one value for each channel   fixed           not learned after all, as prelu would be
 * ```
 */
import type { OpDefinition, ParamValue } from "../ops/definition.ts";
import { formatNumber } from "../ops/formula.ts";
import type { Argument } from "./call-text.ts";
import type { Learned } from "./layers.ts";

export const WORDS = ["learn", "each", "keep", "fixed"];

/** Whether an argument is such a word, and no parameter that the op calls so. */
export const isWord = ({ name, value }: Argument, { params }: OpDefinition): boolean =>
  WORDS.includes(String(name ?? value)) && !params.some((each) => each.name === name);

type Values = Readonly<Record<string, ParamValue>>;

/** The first one that may be learned. */
const firstOf = ({ params }: OpDefinition) => params.find(({ channelAxis }) => !channelAxis);

/**
 * What words say, from left to right.
 *
 * @param fail throws an error that points at a place of the text
 */
export function readLearned(
  op: OpDefinition,
  values: Values,
  words: readonly Argument[],
  fail: (problem: string, at: number, remedy?: string) => never,
): Learned[] {
  const learned = new Map<string, Learned>();
  const first = firstOf(op);
  let current: string | undefined;
  const learn = (param: string): void => {
    const channels = typeof values[param] === "object" ? "each" : "one";
    if (!learned.has(param)) learned.set(param, { param, channels });
    current = param;
  };
  if (op.name === "prelu") learn(first!.name);
  for (const { name, value, at } of words) {
    if ((name ?? value) === "learn") {
      if (!first) return fail(`${op.name} has no parameter to learn`, at);
      if (typeof value === "number") {
        const remedy = `Write ${op.name}(${formatNumber(value)}, learn) to begin with ${formatNumber(value)}.`;
        fail("learn takes a parameter's name, or its bounds", at, remedy);
      }
      learn(name !== undefined && typeof value === "string" ? value : first.name);
      if (typeof value !== "object") continue;
    }
    if (current === undefined) {
      return fail(`${String(name ?? value)} says how a parameter is learned`, at, "Write learn before it.");
    }
    const before = learned.get(current)!;
    if (value === "fixed") {
      learned.delete(current);
      current = undefined;
    } else if (value === "each") learned.set(current, { ...before, channels: "each" });
    else if (typeof value === "object" && value.length === 2) {
      learned.set(current, { ...before, keep: [value[0]!, value[1]!] });
    } else fail("bounds are two numbers", at, "Write learn=[0, 1].");
  }
  return [...learned.values()];
}

/** The words that `readLearned` reads back. */
export function learnedText(op: OpDefinition, values: Values, learned: readonly Learned[]): string[] {
  const isPrelu = op.name === "prelu";
  if (learned.length === 0) return isPrelu ? ["fixed"] : [];
  return learned.flatMap(({ param, channels, keep }) => {
    const bounds = keep && valueText(keep);
    const each = channels === "each" && typeof values[param] === "number" ? ["each"] : [];
    if (param !== firstOf(op)!.name)
      return [`learn=${param}`, ...(bounds ? [`keep=${bounds}`] : []), ...each];
    if (bounds) return [`learn=${bounds}`, ...each];
    return isPrelu ? each : ["learn", ...each];
  });
}

export const valueText = (value: ParamValue): string =>
  typeof value === "number" ? formatNumber(value) : `[${value.map(formatNumber).join(", ")}]`;
