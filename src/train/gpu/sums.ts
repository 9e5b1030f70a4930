/**
 * @file Sums as text of kernels: terms are added in groups, so that a term goes through few additions in float32. Short terms
 * of a group stand one behind the other, for a turn of a loop may take longer than a term.
 *
 * ```text
 *   for (let a = 0; a * 8 + 7 < count; a++) {
 *     total += x[a * 8] * w[a * 8] + x[a * 8 + 1] * w[a * 8 + 1] + …;
 *   }
 *   and those that are left
 * ```
 */

const GROUP = 8;
/** Of terms that take lines of their own. */
const LONG_GROUP = 32;

/** A term of a sum as text: lines to compute it, and its value. */
export interface Term {
  readonly lines?: readonly string[];
  readonly value: string;
}

/**
 * Lines that declare `name` and add up `term(k)` for each whole number k below `count`.
 *
 * @param count a number, or what of the kernel holds it
 * @param term of the index, which is text
 */
export function sumLines(name: string, count: number | string, term: (k: string) => Term): string[] {
  const [outer, inner, part] = [`${name}A`, `${name}B`, `${name}Part`];
  const { lines = [] } = term(outer);
  if (lines.length > 0) return longSum(name, count, term);
  const inGroup = Array.from({ length: GROUP }, (_, i) => term(`(${outer} * ${GROUP} + ${i})`).value);
  const from =
    typeof count === "number"
      ? Math.floor(count / GROUP) * GROUP
      : `(${count} >> ${Math.log2(GROUP)}) * ${GROUP}`;
  return [
    `let ${name} = 0.0;`,
    `for (let ${outer} = 0; ${outer} * ${GROUP} + ${GROUP - 1} < ${count}; ${outer}++) {`,
    `  ${name} += ${inGroup.join(" + ")};`,
    "}",
    ...(from === count
      ? []
      : [
          `let ${part} = 0.0;`,
          `for (let ${inner} = 0; ${from} + ${inner} < ${count}; ${inner}++) {`,
          `  ${part} += ${term(`(${from} + ${inner})`).value};`,
          "}",
          `${name} += ${part};`,
        ]),
  ];
}

function longSum(name: string, count: number | string, term: (k: string) => Term): string[] {
  const [outer, inner, part] = [`${name}A`, `${name}B`, `${name}Part`];
  const k = `(${outer} * ${LONG_GROUP} + ${inner})`;
  const { lines = [], value } = term(k);
  return [
    `let ${name} = 0.0;`,
    `for (let ${outer} = 0; ${outer} * ${LONG_GROUP} < ${count}; ${outer}++) {`,
    `  let ${part} = 0.0;`,
    `  for (let ${inner} = 0; ${inner} < ${LONG_GROUP}; ${inner}++) {`,
    `    if (${k} < ${count}) {`,
    ...[...lines, `${part} += ${value};`].map((line) => `      ${line}`),
    "    }",
    "  }",
    `  ${name} += ${part};`,
    "}",
  ];
}
