/** @file The nearest known name to a misspelt one, for "Did you mean ...?". */

/** Words above this length are no misspelling of a name, and must not cost time. */
const LONGEST = 64;

/** Something with a name, and with other names that people may know it by. */
export interface Named {
  readonly name: string;
  readonly aliases?: readonly string[];
}

/**
 * The name of the thing whose name or alias is nearest to `word`; undefined when none is near.
 *
 * Case, `_` and `-`, and a module path before the name do not count: `torch.nn.LeakyReLU` is nearest to `leaky_relu`.
 * Names go before aliases, and earlier before later, where they are equally near.
 */
export function nearest(word: string, known: readonly Named[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const folded = fold(word);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [spelling, name] of spellings(known)) {
    const candidate = fold(spelling);
    const limit = Math.max(1, Math.floor(Math.min(candidate.length, folded.length) / 3));
    if (Math.abs(candidate.length - folded.length) > limit) continue;
    const distance = editDistance(folded, candidate);
    if (distance > limit || distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

function* spellings(known: readonly Named[]): Generator<[spelling: string, name: string]> {
  for (const { name } of known) yield [name, name];
  for (const { name, aliases = [] } of known) for (const alias of aliases) yield [alias, name];
}

function fold(word: string): string {
  return word
    .slice(word.lastIndexOf(".") + 1)
    .replace(/[_-]/g, "")
    .toLowerCase();
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
 *
 * The "optimal string alignment" form of the Damerau-Levenshtein distance, in three rows.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
