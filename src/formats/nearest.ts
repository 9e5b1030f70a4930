/** @file Which known name was meant: the nearest by edit distance. */

/** At most `limit` of `names` that are close to `name`, nearest first, each once. */
export function nearest(name: string, names: readonly string[], limit = 3): string[] {
  const wanted = name.toLowerCase();
  const bound = Math.max(1, Math.floor(wanted.length / 3));
  // By length first: it is known without looking into names that may be long and many.
  const close = names
    .filter((candidate) => Math.abs(candidate.length - name.length) <= bound)
    .slice(0, 10_000);
  return [...new Set(close)]
    .map((candidate) => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .filter((entry) => entry.distance <= bound)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit)
    .map((entry) => entry.candidate);
}

/** Levenshtein distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
