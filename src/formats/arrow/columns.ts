/** @file Which columns of a schema are computed: every tensor, or those that are named. */
import { type SluiceError, UsageError } from "../../errors.ts";
import type { FieldSummary, TensorColumn } from "../layout.ts";
import { nearest } from "../nearest.ts";
import type { Place } from "../place.ts";
import type { Field, Schema } from "./schema.ts";
import { type Computable, type NotComputable, type Reading, readTensor } from "./tensors.ts";
import { typeText } from "./typeText.ts";

export interface Selection {
  /** The top-level columns, and after each struct those of its descendants that are or could be computed. */
  readonly fields: readonly FieldSummary[];
  readonly tensors: readonly TensorColumn[];
  /** For each tensor: the fields from the top-level one down to the one whose buffer holds the values. */
  readonly paths: readonly (readonly Field[])[];
  /** The column that is read beside the one that is computed. */
  readonly other: OtherColumn | null;
}

/** A column that is read beside another one, and carried through itself. */
export interface OtherColumn {
  readonly name: string;
  /** As in `Selection.paths`. */
  readonly path: readonly Field[];
}

/** A field by the name that reaches it. `ancestors` are the structs above it, from the top. */
interface Candidate {
  readonly name: string;
  readonly ancestors: readonly Field[];
  readonly field: Field;
  readonly reading: Reading;
  /** Whether it is a part of a tensor's storage, such as the `data` of a variable shape tensor. */
  readonly part: boolean;
}

/**
 * Chooses the columns named by `names`, or every top-level tensor where `names` is undefined.
 *
 * A name is first taken as that of a top-level column, whatever dots are in it; then as a path into structs.
 * @param otherName the name of a column that is read beside the one of `names`
 * @throws ColumnError, UnsupportedError, CorruptError for a column that cannot be computed; UsageError where both are one
 */
export function selectColumns(
  schema: Schema,
  names: readonly string[] | undefined,
  place: Place,
  otherName?: string,
): Selection {
  const candidates = listCandidates(schema.fields);
  const selected = new Set<Candidate>();
  if (names === undefined) {
    for (const candidate of candidates) {
      if (candidate.ancestors.length === 0 && candidate.reading.role === "tensor") selected.add(candidate);
    }
  } else {
    for (const name of names) selected.add(resolve(name, candidates, place));
  }
  const tensors = order(candidates, selected, place);
  const other = otherName === undefined ? null : pair(selected, resolve(otherName, candidates, place), place);
  return { fields: summarise(candidates, selected), ...tensors, other };
}

/** The error for a schema in which nothing is computed by default: it lists what could be. */
export function nothingToCompute(schema: Schema, place: Place): SluiceError {
  const candidates = listCandidates(schema.fields);
  const could = candidates.filter(({ reading }) => reading.computable);
  const skipped = candidates
    .filter(({ reading }) => reading.role === "skipped" && !reading.computable)
    .map(({ name, reading }) => ({ name, suffix: ` is ${whySkipped(reading)}` }));
  const parts = ["There is no tensor column: no list of floats and no tensor extension of floats"];
  if (could.length > 0) parts.push(`Columns of floats that can be named: ${list(could)}`);
  if (skipped.length > 0) parts.push(`Not computed: ${list(skipped, "; ")}`);
  if (could.length + skipped.length === 0) {
    const all = schema.fields.map((field) => ({ name: field.name, suffix: ` (${typeText(field)})` }));
    parts.push(all.length === 0 ? "The schema has no columns" : `The columns are ${list(all)}`);
  }
  return place.column(parts.join(". "), {
    remedy:
      could.length > 0
        ? `Name the columns to compute, for example --column ${JSON.stringify(could[0]!.name)}.`
        : "Choose another input.",
  });
}

/** All fields that a name can reach: top-level columns, and through structs. */
function listCandidates(
  fields: readonly Field[],
  ancestors: readonly Field[] = [],
  prefix = "",
  part = false,
): Candidate[] {
  return fields.flatMap((field) => {
    const name = prefix + field.name;
    const reading = readTensor(field);
    const candidate = { name, ancestors, field, reading, part };
    if (field.type.kind !== "struct" || field.dictionary !== null) return [candidate];
    const within = part || reading.computable;
    return [candidate, ...listCandidates(field.children, [...ancestors, field], `${name}.`, within)];
  });
}

function resolve(name: string, candidates: readonly Candidate[], place: Place): Candidate {
  const named = candidates.filter((candidate) => candidate.name === name);
  const top = named.filter((candidate) => candidate.ancestors.length === 0);
  const matches = top.length > 0 ? top : named;
  if (matches.length === 0) throw missing(name, candidates, place);
  // Of several columns with one name, a single one that can be computed is meant.
  const computable = matches.filter((candidate) => candidate.reading.computable);
  if (computable.length > 1) {
    throw place.column(`The name means ${computable.length} columns`, {
      column: name,
      remedy: "Rename them, or leave out --column to compute every tensor column.",
    });
  }
  const match = computable[0] ?? matches[0]!;
  if (!match.reading.computable) throw unusable(match, match.reading, candidates, place);
  return match;
}

/** Checks that `other` can stand beside the selected column, element by element. */
function pair(selected: ReadonlySet<Candidate>, other: Candidate, place: Place): OtherColumn {
  const [own] = selected;
  const { reading } = other;
  if (!own?.reading.computable || !reading.computable) throw new TypeError("Both columns are computable");
  if (own.reading.path.at(-1) === reading.path.at(-1)) {
    throw new UsageError(`${JSON.stringify(own.name)} cannot be x and dy at once`, {
      position: place.position(other.name),
      remedy: "Name two columns: the input of the ops, and the gradient of their output.",
    });
  }
  const types = [own, other].map(({ field }) => typeText(field));
  if (types[0] !== types[1]) {
    throw place.column(
      `${JSON.stringify(own.name)} is ${types[0]}, but ${JSON.stringify(other.name)} is ${types[1]}`,
      {
        column: own.name,
        remedy: "x and dy must be of one type and shape: cast or reshape one of them, or name other columns.",
      },
    );
  }
  return { name: other.name, path: [...other.ancestors, ...reading.path] };
}

function missing(name: string, candidates: readonly Candidate[], place: Place): SluiceError {
  const names = candidates.map((candidate) => candidate.name);
  const close = nearest(name, names).map((near) => ({ name: near }));
  const hint = close.length === 0 ? "" : `; did you mean ${list(close, " or ")}?`;
  return place.column(`There is no such column${hint}`, { column: name, remedy: floatsOf(candidates) });
}

/** What could be named instead. */
function floatsOf(candidates: readonly Candidate[]): string {
  const computable = candidates.filter(({ reading }) => reading.computable);
  if (computable.length === 0) return "No column of this input holds floats.";
  return `Columns of floats: ${list(computable)}.`;
}

/** The error for a column that was selected but cannot be computed. */
function unusable(
  { name, field }: Candidate,
  reading: NotComputable,
  candidates: readonly Candidate[],
  place: Place,
): SluiceError {
  const problem = `The column is ${reading.problem}`;
  if (reading.error === "corrupt") return place.corrupt(problem, { column: name });
  const details = reading.remedy === undefined ? { column: name } : { column: name, remedy: reading.remedy };
  if (reading.error === "unsupported") return place.unsupported(problem, details);
  if (field.type.kind !== "struct")
    return place.column(problem, { remedy: floatsOf(candidates), ...details });
  const children = candidates.filter((other) => other.ancestors.includes(field) && other.reading.computable);
  return place.column(problem, {
    column: name,
    remedy:
      children.length === 0 ? "None of its children holds floats." : `Name its children: ${list(children)}.`,
  });
}

/** The tensors in the order of the schema, each values buffer once. */
function order(candidates: readonly Candidate[], selected: ReadonlySet<Candidate>, place: Place) {
  const tensors: TensorColumn[] = [];
  const paths: (readonly Field[])[] = [];
  const leaves = new Set<Field>();
  for (const candidate of candidates) {
    if (!selected.has(candidate)) continue;
    if (!candidate.reading.computable) throw unusable(candidate, candidate.reading, candidates, place);
    const { dtype, shape, order, channels, path }: Computable = candidate.reading;
    const leaf = path.at(-1)!;
    // A tensor and a part of its storage (`column` and `column.data`) are the same values.
    if (leaves.has(leaf)) continue;
    leaves.add(leaf);
    tensors.push({ name: candidate.name, dtype, shape, ...(order && { order }), channels });
    paths.push([...candidate.ancestors, ...path]);
  }
  return { tensors, paths };
}

function summarise(candidates: readonly Candidate[], selected: ReadonlySet<Candidate>): FieldSummary[] {
  return candidates
    .filter(
      (one) => one.ancestors.length === 0 || selected.has(one) || !(one.part || one.reading.role === "plain"),
    )
    .map((candidate): FieldSummary => {
      const { name, field, reading } = candidate;
      const about = { name, type: typeText(field), nullable: field.nullable };
      if (selected.has(candidate)) return { ...about, role: "computed" };
      if (reading.role !== "skipped") return { ...about, role: reading.role };
      return { ...about, role: "skipped", reason: whySkipped(reading) };
    });
}

function whySkipped(reading: Reading): string {
  return reading.computable ? (reading.reason ?? "") : reading.problem;
}

/** Quoted names, ten at most, so that a message about ten thousand columns stays a message. */
function list(
  items: readonly { readonly name: string; readonly suffix?: string }[],
  separator = ", ",
): string {
  const shown = items.slice(0, 10).map(({ name, suffix = "" }) => JSON.stringify(name) + suffix);
  if (items.length > 10) shown.push(`and ${items.length - 10} more`);
  return shown.join(separator);
}
