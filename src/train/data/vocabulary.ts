/** @file The classes: a label gets a code when it is first met, and in the end its place in their order. */
import type { ClassLabel } from "./options.ts";

/** More different labels than this are no classes. */
export const MOST_CLASSES = 65_536;

/** Labels that are small whole numbers are looked up in a table of so many. */
const SMALL = 1024;

export class Vocabulary {
  /** By code. */
  readonly labels: ClassLabel[] = [];
  /** For each code the index of its class; set by `close`. */
  classOf = new Int32Array(0);
  readonly #codes = new Map<ClassLabel, number>();
  readonly #small = new Int32Array(SMALL).fill(-1);
  #open = true;

  /** @param classes the only ones that there may be, in their order */
  constructor(classes?: readonly ClassLabel[]) {
    if (classes === undefined) return;
    for (const label of classes) this.#add(label);
    this.#open = false;
    this.classOf = Int32Array.from(classes, (_, index) => index);
  }

  /** The code of a label; -1 where it is none of the classes, or there are too many. */
  codeOf(label: ClassLabel): number {
    const code = this.#codes.get(label) ?? -1;
    if (code >= 0 || !this.#open || this.labels.length >= MOST_CLASSES) return code;
    return this.#add(label);
  }

  /** The code of a number: the same, sooner. */
  codeOfNumber(label: number): number {
    const known = label >= 0 && label < SMALL ? this.#small[label]! : -1;
    return known >= 0 ? known : this.codeOf(label);
  }

  /** Whether `codeOf` refuses a label because it is none of the given classes. */
  get isGiven(): boolean {
    return !this.#open;
  }

  /** Ends the collection. @returns the classes in their order: numbers by value, strings by their UTF-16 code units */
  close(): readonly ClassLabel[] {
    if (!this.#open) return this.labels;
    this.#open = false;
    const codes = this.labels.map((_, code) => code);
    codes.sort((a, b) => (this.labels[a]! < this.labels[b]! ? -1 : 1));
    this.classOf = new Int32Array(codes.length);
    for (const [index, code] of codes.entries()) this.classOf[code] = index;
    return codes.map((code) => this.labels[code]!);
  }

  #add(label: ClassLabel): number {
    const code = this.labels.push(label) - 1;
    this.#codes.set(label, code);
    if (typeof label === "number" && label >= 0 && label < SMALL && Number.isInteger(label)) {
      this.#small[label] = code;
    }
    return code;
  }
}
