/** @file Values for the parameters of an op, checked. */
import { UsageError } from "../errors.ts";
import {
  type BoundOp,
  type OpDefinition,
  type ParamSpec,
  type ParamValue,
  signatureOf,
} from "./definition.ts";
import { formatNumber, quote } from "./formula.ts";
import { nearest } from "./suggest.ts";

/** What `bind` takes for a parameter; lists are copied. */
export type ParamInput = ParamValue | Float32Array | Float64Array;

/**
 * An op with values for its parameters; those left out take their defaults.
 *
 * A list with one value is that number: one value for all channels.
 *
 * @throws UsageError for an unknown or missing parameter, and for a value that the parameter cannot have.
 */
export function bind<Name extends string>(
  op: OpDefinition<Name>,
  values: { readonly [Key in NoInfer<Name>]?: ParamInput | undefined } = {},
): BoundOp {
  if (typeof values !== "object" || values === null) {
    throw new UsageError(`the values of ${op.name} must be an object, as in { alpha: 0.1 }`);
  }
  const entries = Object.entries<ParamInput | undefined>(values);
  const given = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  const fault = faultIn(op, given);
  if (fault !== undefined) {
    throw new UsageError(fault.problem, fault.remedy === undefined ? {} : { remedy: fault.remedy });
  }
  const complete = op.params.map((spec) => [spec.name, settle(given[spec.name] ?? spec.default!)] as const);
  return { op, values: Object.fromEntries(complete) };
}

function settle(value: ParamInput): ParamValue {
  if (typeof value === "number") return value;
  return value.length === 1 ? value[0]! : Array.from(value);
}

/** Why values do not fit an op. */
export interface Fault {
  readonly problem: string;
  /** The parameter at fault, where it was given. */
  readonly param?: string;
  readonly remedy?: string;
}

/** The first thing wrong with values for an op; undefined when `bind` would take them. */
export function faultIn(op: OpDefinition, values: Readonly<Record<string, unknown>>): Fault | undefined {
  for (const name of Object.keys(values)) {
    if (!op.params.some((spec) => spec.name === name)) return unknownParam(op, name);
  }
  for (const spec of op.params) {
    if (!Object.hasOwn(values, spec.name)) {
      if (spec.default !== undefined) continue;
      return { problem: `${op.name} needs a value for ${spec.name}`, remedy: `Write ${signatureOf(op)}.` };
    }
    const problem = faultInValue(op, spec, values[spec.name]);
    if (problem !== undefined) return { problem, param: spec.name };
  }
  return faultInOrder(op, values);
}

/** The error for a parameter that the op does not have. */
export function unknownParam(op: OpDefinition, name: string): Fault {
  const meant = nearest(name, op.params);
  const names = op.params.map((spec) => spec.name).join(", ");
  let remedy = `Its parameters: ${names}.`;
  if (names === "") remedy = `${op.name} has no parameters.`;
  if (meant !== undefined) remedy = `Did you mean ${meant}?`;
  return { problem: `${op.name} has no parameter ${quote(name)}`, param: name, remedy };
}

/** What is wrong with a value for one parameter. */
export function faultInValue(op: OpDefinition, spec: ParamSpec, value: unknown): string | undefined {
  const what = `${spec.name} of ${op.name}`;
  if (!Array.isArray(value) && !(value instanceof Float32Array) && !(value instanceof Float64Array)) {
    return faultInNumber(what, spec, value);
  }
  if (!spec.perChannel) return `${what} is one number, not a list`;
  if (value.length === 0) return `${what} is an empty list; give one number per channel`;
  for (let i = 0; i < value.length; i++) {
    const fault = faultInNumber(`value ${i} of ${what}`, spec, value[i]);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultInNumber(what: string, spec: ParamSpec, value: unknown): string | undefined {
  if (typeof value !== "number") return `${what} must be a number, not ${quote(value)}`;
  if (Number.isNaN(value)) return `${what} cannot be NaN`;
  if (spec.channelAxis && !Number.isInteger(value))
    return `${what} must be a whole number, as -1 for the last`;
  if (spec.finite && !Number.isFinite(value)) return `${what} must be finite`;
  if (spec.nonZero && value === 0) return `${what} cannot be 0`;
  if (spec.notNegative && value < 0) return `${what} cannot be below 0`;
  return undefined;
}

function faultInOrder(op: OpDefinition, values: Readonly<Record<string, unknown>>): Fault | undefined {
  const effective = (name: string) => values[name] ?? op.params.find((spec) => spec.name === name)?.default;
  for (const { name, notBelow } of op.params) {
    if (notBelow === undefined) continue;
    const value = effective(name);
    const bound = effective(notBelow);
    if (typeof value !== "number" || typeof bound !== "number" || value >= bound) continue;
    const problem = `${name} of ${op.name} (${formatNumber(value)}) is below ${notBelow} (${formatNumber(bound)})`;
    return { problem, param: Object.hasOwn(values, name) ? name : notBelow };
  }
  return undefined;
}
