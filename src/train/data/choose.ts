/** @file Which columns of a schema are features, label and weight: those that are named, or the only ones that can be. */
import type { Field, Schema } from "../../formats/arrow/schema.ts";
import { typeText } from "../../formats/arrow/typeText.ts";
import { nearest } from "../../formats/nearest.ts";
import type { Place } from "../../formats/place.ts";
import { type NumberField, readNumberField } from "./number-field.ts";
import { isNumberType } from "./numbers.ts";
import type { DatasetOptions } from "./options.ts";

export interface ChosenNumbers {
  readonly kind: "numbers";
  readonly name: string;
  readonly field: NumberField;
  /** From the top-level field down to the one with the values. */
  readonly path: readonly Field[];
}

export interface ChosenLabel {
  readonly kind: "text" | "dictionary";
  readonly name: string;
  readonly path: readonly Field[];
}

export interface Choice {
  readonly features: readonly ChosenNumbers[];
  readonly label: ChosenNumbers | ChosenLabel;
  readonly weight: ChosenNumbers | undefined;
}

export type ColumnOptions = Pick<DatasetOptions, "features" | "label" | "weight" | "task">;

/** A field and the structs above it, by the name that reaches it. */
interface Named {
  readonly name: string;
  readonly ancestors: readonly Field[];
  readonly field: Field;
}

/** @throws ColumnError where a column is missing, does not fit, or several could be meant */
export function chooseColumns(schema: Schema, options: ColumnOptions, place: Place): Choice {
  return new Chooser(schema, options, place).choose();
}

/** The features alone, for a prediction. @throws ColumnError */
export function chooseFeatures(
  schema: Schema,
  features: readonly string[] | undefined,
  place: Place,
): readonly ChosenNumbers[] {
  const options = { features, label: undefined, weight: undefined, task: "values" } as const;
  return new Chooser(schema, options, place).features();
}

class Chooser {
  readonly #columns: readonly Named[];
  readonly #options: ColumnOptions;
  readonly #place: Place;

  constructor(schema: Schema, options: ColumnOptions, place: Place) {
    this.#columns = listColumns(schema.fields);
    this.#options = options;
    this.#place = place;
  }

  features(): ChosenNumbers[] {
    const { features: given, label, weight } = this.#options;
    const taken = new Set([label, weight]);
    const names = given === undefined ? [this.#onlyTensor(taken)] : [given].flat();
    return names.map((name) => this.#numbers(name, "features"));
  }

  choose(): Choice {
    const { label, weight } = this.#options;
    const features = this.features();
    const names = features.map(({ name }) => name);
    const others = new Set([...names, weight]);
    const chosen = this.#label(label ?? this.#onlyLabel(others));
    if (names.includes(chosen.name)) {
      throw this.#place.column("The label is among the features", {
        column: chosen.name,
        remedy: "Name the columns to learn from with --features, without the label.",
      });
    }
    return { features, label: chosen, weight: weight === undefined ? undefined : this.#weight(weight) };
  }

  #onlyTensor(taken: ReadonlySet<string | undefined>): string {
    const tensors = this.#columns.filter(({ name, ancestors, field }) => {
      if (ancestors.length > 0 || taken.has(name)) return false;
      const reading = readNumberField(field);
      return typeof reading !== "string" && reading.path.length > 1;
    });
    if (tensors.length === 1) return tensors[0]!.name;
    const numbers = this.#columns.filter(({ name, field }) => !taken.has(name) && isNumbers(field));
    throw this.#place.column(
      tensors.length === 0
        ? "There is no tensor column to take the features from"
        : `${tensors.length} columns are tensors, and it is not said which one the features are`,
      {
        remedy: `Name one tensor column, or columns of numbers, with --features. Candidates: ${list(numbers)}.`,
      },
    );
  }

  #onlyLabel(others: ReadonlySet<string | undefined>): string {
    const labels = this.#columns.filter(({ name, ancestors, field }) => {
      if (ancestors.length > 0 || others.has(name) || typeof this.#readLabel(field) === "string")
        return false;
      // Floats can be classes, if they are whole numbers; but nobody means them unasked.
      return this.#options.task === "values" || field.type.kind !== "float";
    });
    if (labels.length === 1) return labels[0]!.name;
    throw this.#place.column(
      labels.length === 0
        ? "There is no column that the label could be"
        : `${labels.length} columns could be the label`,
      {
        remedy:
          labels.length === 0
            ? `The columns are ${list(this.#columns)}: add one with a ${this.#kindOfLabel()} for each row.`
            : `Name one with --label. Candidates: ${list(labels)}.`,
      },
    );
  }

  #numbers(name: string, what: string): ChosenNumbers {
    const { ancestors, field } = this.#resolve(name, what);
    const reading = readNumberField(field);
    if (typeof reading === "string") {
      const problem = `The column is ${reading}`;
      throw this.#place.column(problem, {
        column: name,
        remedy:
          "Features are numbers: single ones, fixed size lists or lists of one length, or fixed shape tensors.",
      });
    }
    return { kind: "numbers", name, field: reading, path: [...ancestors, ...reading.path] };
  }

  #weight(name: string): ChosenNumbers {
    const chosen = this.#numbers(name, "weight");
    if (chosen.field.path.length === 1) return chosen;
    throw this.#place.column("A weight is one number a row", { column: name });
  }

  #label(name: string): ChosenNumbers | ChosenLabel {
    const { ancestors, field } = this.#resolve(name, "label");
    const reading = this.#readLabel(field);
    if (typeof reading === "string") {
      throw this.#place.column(`The column is ${reading}`, {
        column: name,
        remedy:
          this.#options.task === "classes"
            ? "The loss takes classes: integers, booleans, strings, or a dictionary of them. For numbers, choose mse, mae or huber."
            : "The loss takes numbers, or fixed size lists of them. For classes, choose cross_entropy.",
      });
    }
    if (typeof reading === "object") {
      return { kind: "numbers", name, field: reading.numbers, path: [...ancestors, ...reading.numbers.path] };
    }
    return {
      kind: "text",
      name,
      path: [...ancestors, field],
      ...(field.dictionary && { kind: "dictionary" }),
    };
  }

  /** What the field is as a label; a text says why it is none. */
  #readLabel(field: Field): { readonly numbers: NumberField } | true | string {
    const classes = this.#options.task === "classes";
    if (classes && field.dictionary !== null) {
      if (!isNumberType(field.dictionary.index))
        return `a dictionary with indices of ${field.dictionary.index}`;
      const inside = this.#readLabel({ ...field, dictionary: null });
      return typeof inside === "string" ? inside : true;
    }
    if (classes && ["utf8", "large_utf8", "utf8_view"].includes(field.type.kind)) return true;
    const reading = readNumberField(field);
    if (typeof reading === "string") return reading;
    if (reading.listWidth !== null) return `${typeText(field)}: lists of any length, where one is needed`;
    if (classes && reading.path.length > 1) return `${typeText(field)}, where one label a row is needed`;
    return { numbers: reading };
  }

  #kindOfLabel(): string {
    return this.#options.task === "classes" ? "class" : "number";
  }

  #resolve(name: string, what: string): Named {
    const named = this.#columns.filter((column) => column.name === name);
    const top = named.filter(({ ancestors }) => ancestors.length === 0);
    const matches = top.length > 0 ? top : named;
    if (matches.length === 1) return matches[0]!;
    if (matches.length > 1) {
      throw this.#place.column(`The name means ${matches.length} columns`, {
        column: name,
        remedy: "Rename them, so that each has a name of its own.",
      });
    }
    const close = nearest(
      name,
      this.#columns.map((column) => column.name),
    );
    const hint =
      close.length === 0 ? "" : `; did you mean ${close.map((each) => JSON.stringify(each)).join(" or ")}?`;
    throw this.#place.column(`There is no such column for the ${what}${hint}`, {
      column: name,
      remedy: `The columns are ${list(this.#columns)}.`,
    });
  }
}

function isNumbers(field: Field): boolean {
  return typeof readNumberField(field) !== "string";
}

/** All that a name can reach: top-level columns, and through structs. */
function listColumns(fields: readonly Field[], ancestors: readonly Field[] = [], prefix = ""): Named[] {
  return fields.flatMap((field) => {
    const name = prefix + field.name;
    const own = { name, ancestors, field };
    const isStruct = field.type.kind === "struct" && field.dictionary === null;
    return isStruct ? [own, ...listColumns(field.children, [...ancestors, field], `${name}.`)] : [own];
  });
}

/** Names with types, ten at most, so that a message about ten thousand columns stays a message. */
function list(columns: readonly Named[]): string {
  const shown = columns.slice(0, 10).map(({ name, field }) => `${JSON.stringify(name)} (${typeText(field)})`);
  if (columns.length > 10) shown.push(`and ${columns.length - 10} more`);
  return shown.length === 0 ? "none" : shown.join(", ");
}
