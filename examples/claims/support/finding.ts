/** @file What a claim came to: what its program writes as JSON, and what the page is made of. */

export type Verdict = "holds" | "holds if" | "does not hold";

/** A table of texts; the first row is the head. */
export interface TextTable {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Finding {
  readonly verdict: Verdict;
  /** After the verdict, as a sentence: of "holds if", the condition. */
  readonly because: string;
  /** The main figure, with its uncertainty. */
  readonly figure: string;
  /** Paragraphs in Markdown, and tables. */
  readonly details: readonly (string | TextTable)[];
}

export interface Claim {
  /** Of its files. */
  readonly name: string;
  readonly title: string;
  /** What is said. */
  readonly said: string;
  /** Who said it, with DOI or arXiv number, in Markdown. */
  readonly sources: readonly string[];
  /** What was measured, on what, how often. */
  readonly method: string;
}

/** A file of `results/`. */
export interface Result extends Claim, Finding {
  /** What the picture shows. */
  readonly picture: string;
  readonly numbers: unknown;
}
