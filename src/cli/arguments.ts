/** @file From the words on the command line to a command, its operands and its options; or a UsageError that helps. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import {
  COMMANDS,
  type CommandSpec,
  findCommand,
  GLOBAL_OPTIONS,
  type OptionSpec,
  usageOf,
} from "./commands.ts";
import { Options } from "./options.ts";

export interface Arguments {
  readonly command: CommandSpec;
  readonly operands: readonly string[];
  readonly options: Options;
}

/** What every command file exports as `run`: does the work and returns the exit code. */
export type Run = (operands: readonly string[], options: Options) => Promise<number>;

/** What `parseArguments` found: a command to run, or one of the questions that need no operands. */
export type Request =
  | { readonly kind: "run"; readonly arguments: Arguments }
  | { readonly kind: "help"; readonly command: CommandSpec | undefined }
  | { readonly kind: "version" }
  /** `sluice` alone. */
  | { readonly kind: "nothing" };

/** How `parseArguments` finds the nearest of some names; passed in, so that only a mistake loads it. */
export type Suggest = (
  name: string,
  known: readonly { readonly name: string }[],
) => Promise<string | undefined>;

/**
 * Options may stand anywhere, before or after the command and between operands; all after `--` is operands.
 * @throws UsageError for an unknown command or option, a missing value, or the wrong number of operands
 */
export async function parseArguments(argv: readonly string[], suggest: Suggest): Promise<Request> {
  const { words, given } = read(argv);
  const [name, ...operands] = words;
  const command = name === undefined ? undefined : findCommand(name);
  if (name !== undefined && command === undefined) throw await unknownCommand(name, operands, suggest);

  const values = new Map<string, string[]>();
  for (const option of given) {
    const spec = await checkOption(option, command, suggest);
    const list = values.get(spec.name) ?? [];
    list.push(option.value ?? "");
    values.set(spec.name, list);
  }

  if (values.has("help")) return { kind: "help", command: command?.name === "help" ? undefined : command };
  if (values.has("version")) return { kind: "version" };
  if (command === undefined) return { kind: "nothing" };
  checkArity(command, operands);
  return { kind: "run", arguments: { command, operands, options: new Options(values) } };
}

/** What an error report must know of a command line, whatever is wrong with the rest of it. */
export interface Glance {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly dataOnStdout: boolean;
}

export function glance(argv: readonly string[]): Glance {
  const { words, given } = read(argv);
  const has = (name: string): boolean => given.some((option) => option.name === name);
  const picture = given.some(({ name, value }) => name === "output" && value === "-");
  return { json: has("json"), quiet: has("quiet"), dataOnStdout: picture || isDataOnStdout(words) };
}

/** Commands whose last operand is where data go. */
const WRITING = ["apply", "grad", "predict"];

/** Whether the command writes data, and its last operand is stdout. */
function isDataOnStdout([command, ...operands]: readonly string[]): boolean {
  return WRITING.includes(command ?? "") && operands.length > 2 && operands.at(-1) === "-";
}

function read(argv: readonly string[]): {
  readonly words: readonly string[];
  readonly given: readonly Given[];
} {
  const { tokens } = parseArgs({
    args: [...argv],
    options: EVERY_OPTION,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const words: string[] = [];
  const given: Given[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind === "option") given.push(token);
  }
  return { words, given };
}

interface Given {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** The options of all commands: a name means the same in each, so one pass can read them before the command is known. */
const EVERY_OPTION: NonNullable<ParseArgsConfig["options"]> = {};
for (const spec of [...GLOBAL_OPTIONS, ...COMMANDS.flatMap((command) => command.options)]) {
  EVERY_OPTION[spec.name] = {
    type: spec.value === undefined ? "boolean" : "string",
    ...(spec.short === undefined ? {} : { short: spec.short }),
  };
}

async function checkOption(
  { name, rawName, value, inlineValue }: Given,
  command: CommandSpec | undefined,
  suggest: Suggest,
): Promise<OptionSpec> {
  const allowed = [...(command?.options ?? []), ...GLOBAL_OPTIONS];
  const spec = allowed.find((option) => option.name === name);
  const help = command === undefined ? "sluice --help" : `sluice ${command.name} --help`;
  if (spec === undefined) {
    const known = command === undefined && Object.hasOwn(EVERY_OPTION, name);
    if (known) throw new UsageError(`${rawName} comes with no command`, { remedy: overview() });
    const near = rawName.startsWith("--") ? await suggest(name, allowed) : undefined;
    throw new UsageError(`${command?.name ?? "sluice"} has no option ${rawName}`, {
      remedy: near === undefined ? `See ${help}.${afterDashes(rawName)}` : `Did you mean --${near}?`,
    });
  }
  if (spec.value === undefined && value !== undefined) {
    throw new UsageError(`${rawName} takes no value, but was given ${JSON.stringify(value)}`, {
      remedy: `Write ${rawName} alone.`,
    });
  }
  if (spec.value !== undefined && value === undefined) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value}`, {
      remedy: `See ${help}.`,
    });
  }
  // No option is a digit, so -6 is a number.
  if (spec.value !== undefined && inlineValue === false && /^-[^\d.]/.test(value ?? "")) {
    throw new UsageError(`${rawName} needs a value, and ${value} looks like the next option`, {
      remedy: `If ${value} is the value, write --${name}=${value}.`,
    });
  }
  return spec;
}

/** An operand that starts with a dash is read as options, letter by letter. */
const afterDashes = (rawName: string): string =>
  rawName.startsWith("--") ? "" : " A name that begins with a dash goes after --.";

function checkArity(command: CommandSpec, operands: readonly string[]): void {
  const [fewest, most] = command.arity;
  if (operands.length >= fewest && operands.length <= most) return;
  const names = command.operands.split(" ").filter(Boolean);
  const required = names.filter((name) => !name.startsWith("["));
  const problem =
    operands.length < fewest
      ? `${command.name} needs ${listOf(required.slice(operands.length))}`
      : `${command.name} takes ${most === 0 ? "no operands" : listOf(names)}, and ${JSON.stringify(operands[most])} is one too many`;
  const quote =
    (command.name === "apply" || command.name === "grad") && operands.length > most
      ? "\nA chain of ops goes in quotes: 'mul(0.5) | relu'."
      : "";
  throw new UsageError(problem, { remedy: `Usage: ${usageOf(command)}${quote}` });
}

function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

async function unknownCommand(name: string, rest: readonly string[], suggest: Suggest): Promise<UsageError> {
  const near = await suggest(name, COMMANDS);
  const looksLikeOps = near === undefined && rest.length === 2;
  const remedy = near
    ? `Did you mean sluice ${near}?`
    : looksLikeOps
      ? `Did you mean sluice apply ${[name, ...rest].map(quoted).join(" ")}?`
      : overview();
  return new UsageError(`there is no command ${JSON.stringify(name)}`, { remedy });
}

const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);

const overview = (): string =>
  `The commands are ${listOf(COMMANDS.map((command) => command.name))}; see sluice --help.`;
