/**
 * @file Kernels as text, made fit for the compilers of OpenGL, which calculate with what they see by rules that do not hold
 * in floating point: `x < c ? c : x` becomes `max(x, c)`, which drops NaN and -0; `(x + c) - c` becomes x; `x - x` becomes 0
 * (Mesa, `nir_opt_algebraic.py`, the rules that are marked inexact). GLSL 1 has no `precise` to forbid it.
 *
 * So each result goes through `kept`, which chooses by a uniform that is never set: a compiler cannot know that it is 0, and
 * finds no pattern across the choice. A choice between two results that went through the same uniform would be made one
 * again, so operands go through `other`, with a uniform of its own.
 */
import type { KernelSource } from "./kernel-source.ts";

/** A function in GLSL, and how gpu.js is told of it. */
interface NativeFunction {
  readonly name: string;
  readonly source: string;
  readonly argumentTypes: readonly string[];
  readonly returnType: string;
}

const choice = (name: string): NativeFunction => ({
  name,
  source: `uniform float ${name}Unset; float ${name}(float x) { return ${name}Unset > 0.0 ? ${name}Unset : x; }`,
  argumentTypes: ["Number"],
  returnType: "Number",
});

/** gpu.js has no division of integers; GLSL does. */
const whole = (name: string, result: string): NativeFunction => ({
  name,
  source: `int ${name}(int a, int b) { return ${result}; }`,
  argumentTypes: ["Integer", "Integer"],
  returnType: "Integer",
});

const NATIVE = [
  choice("kept"),
  choice("other"),
  whole("quotient", "a / b"),
  whole("remainder", "a - b * (a / b)"),
];

/** What takes the place of these, in `helpers.ts`, is native. */
const REPLACED = /^function (turns|rest|correction|quotient|remainder)\(/;

/** As gpu.js takes it: the text of functions, and those that are native. */
export interface GlslSource extends KernelSource {
  readonly functions: readonly string[];
  readonly native: Readonly<Record<string, unknown>>;
}

export function glslOf(source: KernelSource): GlslSource {
  const literals: number[] = [];
  const rewrite = (text: string): string => withArrays(withChoices(withIntegers(text)), literals);
  const own = (source.functions ?? []).filter((text) => !REPLACED.test(text));
  const [kernel, functions] = [rewrite(source.source), own.map(rewrite)];
  return {
    ...source,
    source: kernel,
    functions,
    constants: {
      ...source.constants,
      ...(literals.length > 0 ? { literals: Float32Array.from(literals) } : {}),
    },
    native: {
      // gpu.js writes native functions behind those that call them, so it gets no more than their types.
      nativeFunctions: NATIVE.map(({ name, ...rest }) => ({ ...rest, name, source: `// ${name}` })),
      injectedNative: NATIVE.map(({ source: text }) => text).join("\n"),
    },
  };
}

/** `(3 | 0)` says that 3 is an integer, as the native functions' types do; gpu.js would make a loop over its bits of it. */
const withIntegers = (text: string): string => text.replace(/\((\d+) \| 0\)/g, "$1");

/** Of `source.ts` and `helpers.ts`: one node, or one step, a line. */
const LINE = /^( *const \w+ = )(.*);$/gm;
/** `test ? a : b`, neither of which is a choice itself. */
const CHOICE = /^([^?]*) \? ([^?]*) : ([^?]*)$/;
/** `x - x`, `x / x`. */
const SAME = /^(\S+) ([-/]) \1$/;

function withChoices(text: string): string {
  return text.replace(LINE, (_, start: string, value: string) => {
    const result = value.replace(SAME, "$1 $2 other($1)");
    return CHOICE.test(value)
      ? `${start}${value.replace(CHOICE, "$1 ? other($2) : $3")};`
      : `${start}${value.includes("?") ? value : `kept(${result})`};`;
  });
}

const LITERAL = /(?<![\w.[])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.\]])/g;
/** Of an element, of a value of its row or of its channel: its numbers are indices. */
const READ = /^ *const \w+ = [\w.]+\[/;
const isWhole = /^\d+$/;

/** ANGLE, which headless-gl translates GLSL with, writes 8 digits of a float. One that needs 9 goes into an array. */
function withArrays(text: string, literals: number[]): string {
  const lines = text.split("\n").map((line) => {
    if (READ.test(line)) return line;
    const isFloat = (digits: string): boolean => !isWhole.test(digits) || /^ *const /.test(line);
    return line.replace(LITERAL, (digits) => {
      const value = Math.fround(Number(digits));
      if (!isFloat(digits) || Math.fround(Number(value.toPrecision(8))) === value) return digits;
      let at = literals.indexOf(value);
      if (at < 0) at = literals.push(value) - 1;
      return `this.constants.literals[${at}]`;
    });
  });
  return lines.join("\n");
}
