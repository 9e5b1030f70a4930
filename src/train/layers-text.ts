/**
 * @file Layers as text: `dense(256) | leaky_relu(0.01) | dense(10)`.
 *
 * ```text
 *   dense(256, bias=false, init=xavier)     layers: see layer-forms.ts
 *   leaky_relu(alpha=0.2)                   any op of the catalog, its parameters fixed
 *   leaky_relu(0.2, learn)                  its first parameter learned, beginning with 0.2
 *   leaky_relu(0.2, learn=[0, 1])           the same, kept within bounds
 *   swish(learn=beta), clamp(-1, 1, learn=hi, keep=[0, 2])     the parameter named
 *   prelu, prelu(each), prelu([0.1, 0.2])   always learned: one slope, or one for each channel
 *   prelu(0.25, fixed)                      but for this
 *   layer_norm(affine=false)                the op, without a learned weight and bias
 * ```
 */
import { OpSyntaxError, UsageError } from "../errors.ts";
import { bind, faultIn, unknownParam } from "../ops/bind.ts";
import type { OpDefinition, ParamValue } from "../ops/definition.ts";
import { allOps, findOp } from "../ops/op.ts";
import { nearest } from "../ops/suggest.ts";
import { type Argument, type Call, oneLine, parseCalls } from "./call-text.ts";
import { FORMS, type FormName, formText, makeReshape, READ } from "./layer-forms.ts";
import { activation, type LayerSpec, type OpLayer } from "./layers.ts";
import { isWord, learnedText, readLearned, valueText, WORDS } from "./learned-text.ts";

/**
 * Reads layers.
 *
 * @throws OpSyntaxError that points at the character at fault and, for an unknown name, suggests the nearest
 */
export function parseLayers(text: string): LayerSpec[] {
  const calls = parseCalls(text);
  return calls.map((call) => new CallReader(text, call).layer());
}

/** Layers as text that `parseLayers` reads back. */
export function layersText(specs: readonly LayerSpec[]): string {
  return specs.map((spec) => (spec.kind === "op" ? opText(spec) : formText(spec))).join(" | ");
}

/** PyTorch's own layer of that name has the channels on axis 1 of the batch; the op counts from the end. */
const PRELU_AXIS = 1;

class CallReader {
  readonly #text: string;
  readonly #call: Call;

  constructor(text: string, call: Call) {
    [this.#text, this.#call] = [text, call];
  }

  layer(): LayerSpec {
    const { name, arguments: args } = this.#call;
    if (name === "layer_norm") return this.#layerNorm();
    if (name === "reshape") return this.#reshape();
    if (Object.hasOwn(FORMS, name)) return this.#form(name as keyof typeof FORMS, args);
    const op = findOp(name);
    return op ? this.#op(op, args) : this.#unknown();
  }

  /** With a weight and a bias it is a layer, without them an op. */
  #layerNorm(): LayerSpec {
    const args = this.#call.arguments;
    const affine = args.find((each) => each.name === "affine");
    const others = args.filter((each) => each !== affine);
    switch (affine?.value ?? "true") {
      case "true":
        return this.#form("layer_norm", others);
      case "false":
        return this.#op(findOp("layer_norm")!, others);
    }
    return this.#fail("affine of layer_norm must be true or false", affine!.at);
  }

  #unknown(): never {
    const { name, at } = this.#call;
    const layers = Object.entries(FORMS).map(([each, { aliases }]) => ({ name: each, aliases }));
    const known = [...layers, { name: "reshape", aliases: ["view"] }, ...allOps()];
    const meant = nearest(name, known);
    const names = [...layers.map((each) => each.name), "reshape"].join(", ");
    const remedy =
      meant === undefined ? `Layers: ${names}; and every op of sluice ops.` : `Did you mean ${meant}?`;
    return this.#fail(`unknown layer ${JSON.stringify(name)}`, at, remedy);
  }

  #reshape(): LayerSpec {
    const shape = this.#call.arguments.map(({ name, value, at }) => {
      if (name === undefined && typeof value === "number") return value;
      return this.#fail("reshape takes the lengths of the axes", at, "Write reshape(1, 28, 28).");
    });
    return this.#made(() => makeReshape(shape), []);
  }

  #form(name: Exclude<FormName, "reshape">, args: readonly Argument[]): LayerSpec {
    const { takes, needs, make } = FORMS[name];
    const places = this.#named(args, takes);
    const values: Record<string, unknown> = {};
    for (const [key, { value, at }] of places) {
      const { expects, read } = READ[key]!;
      values[key] = read(value) ?? this.#fail(`${key} of ${name} must be ${expects}`, at);
    }
    const missing = takes.slice(0, needs).find((key) => !places.has(key));
    if (missing !== undefined) {
      this.#fail(`${name} needs ${missing}`, this.#call.at, `Write ${name}(${takes.join(", ")}).`);
    }
    return this.#made(() => make(values), places);
  }

  /** Arguments by the names that they have, or have by their place. */
  #named(args: readonly Argument[], takes: readonly string[]): Map<string, Argument> {
    const { name } = this.#call;
    const found = new Map<string, Argument>();
    for (const [place, argument] of args.entries()) {
      const key = argument.name ?? takes[place];
      if (key === undefined) {
        const most = takes.length === 0 ? "no values" : `${takes.length} values: ${takes.join(", ")}`;
        this.#fail(`${name} takes ${most}`, argument.at);
      }
      if (!takes.includes(key)) {
        const meant = nearest(
          key,
          takes.map((each) => ({ name: each })),
        );
        const remedy = meant === undefined ? `It takes ${takes.join(", ")}.` : `Did you mean ${meant}?`;
        this.#fail(`${name} takes no ${JSON.stringify(key)}`, argument.at, remedy);
      }
      if (found.has(key)) this.#fail(`${key} is given twice`, argument.at, "Remove one of the two.");
      found.set(key, argument);
    }
    return found;
  }

  #op(op: OpDefinition, args: readonly Argument[]): OpLayer {
    const words = args.filter((each) => isWord(each, op));
    const places = this.#values(
      op,
      args.filter((each) => !isWord(each, op)),
    );
    const values: Record<string, ParamValue> = op.name === "prelu" ? { axis: PRELU_AXIS } : {};
    for (const [name, { value, at }] of places) {
      if (typeof value === "string") {
        const meant = nearest(
          value,
          WORDS.map((each) => ({ name: each })),
        );
        const remedy = meant === undefined ? undefined : `Did you mean ${meant}?`;
        this.#fail(`${name} of ${op.name} must be a number, not ${value}`, at, remedy);
      }
      values[name] = value;
    }
    const fault = faultIn(op, values);
    if (fault) this.#fail(fault.problem, places.get(fault.param ?? "")?.at ?? this.#call.at, fault.remedy);
    const bound = bind(op, values);
    const learned = readLearned(op, bound.values, words, (...told) => this.#fail(...told));
    return this.#made(() => activation(bound, learned), [...words.map((each) => ["", each] as const)]);
  }

  #values(op: OpDefinition, args: readonly Argument[]): Map<string, Argument> {
    const found = new Map<string, Argument>();
    for (const [place, argument] of args.entries()) {
      const name = argument.name ?? op.params[place]?.name;
      if (name === undefined || !op.params.some((each) => each.name === name)) {
        const { problem, remedy } = unknownParam(op, String(name ?? argument.value));
        this.#fail(problem, argument.at, remedy);
      }
      if (found.has(name)) this.#fail(`${name} is given twice`, argument.at, "Remove one of the two.");
      found.set(name, argument);
    }
    return found;
  }

  /** What `make` gives; an error of its points at the argument that it names. */
  #made<Made>(make: () => Made, places: Iterable<readonly [string, Argument]>): Made {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const own = [...places].find(([name]) => error.message.includes(`${name} of `) || name === "");
      return this.#fail(error.message, own?.[1].at ?? this.#call.at, error.remedy);
    }
  }

  #fail(problem: string, at: number, remedy?: string): never {
    throw new OpSyntaxError(problem, oneLine(this.#text), at, remedy === undefined ? {} : { remedy });
  }
}

/** `leaky_relu(alpha=0.2, learn=[0, 1])`; `layer_norm` is an op, too: the layer of that name without what it learns. */
function opText({ op: { op, values }, learned }: OpLayer): string {
  if (op.name === "reshape" || (Object.hasOwn(FORMS, op.name) && op.name !== "layer_norm")) {
    throw new UsageError(`an op called ${op.name} cannot be in a network: a layer has that name`, {
      remedy: "Define it under another name.",
    });
  }
  const isPrelu = op.name === "prelu";
  const usual = (name: string): unknown =>
    isPrelu && name === "axis" ? PRELU_AXIS : op.params.find((each) => each.name === name)?.default;
  const own = op.params.filter(({ name, channelAxis }) => !channelAxis || values[name] !== usual(name));
  const parts = own.map(({ name }) => `${name}=${valueText(values[name]!)}`);
  parts.push(...learnedText(op, values, learned));
  if (op.name === "layer_norm") parts.push("affine=false");
  return parts.length === 0 ? op.name : `${op.name}(${parts.join(", ")})`;
}
