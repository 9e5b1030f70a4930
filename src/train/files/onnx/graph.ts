/** @file An ONNX graph in the making: nodes in the order of computation, with one output each, and constants once. */
import type { Attribute, Initializer, Node } from "./proto.ts";

/** The name of a value: of the graph's input, of a tensor, or of what a node gives. */
export type Value = string;

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #counts = new Map<string, number>();
  /** Index of the layer that the next nodes belong to, and what they are called. */
  layer = 0;
  #prefix = "";

  get initializers(): readonly Initializer[] {
    return [...this.#initializers.values()];
  }

  /** Names the nodes that follow: `3.leaky_relu/PRelu`. */
  begin(layer: number, name: string): void {
    this.layer = layer;
    this.#prefix = `${layer}.${name}`;
  }

  add(type: string, inputs: readonly Value[], attributes: Node["attributes"] = {}): Value {
    const base = `${this.#prefix}/${type}`;
    const nth = (this.#counts.get(base) ?? 0) + 1;
    this.#counts.set(base, nth);
    const output = nth === 1 ? base : `${base}_${nth}`;
    this.nodes.push({ type, inputs, output, attributes });
    return output;
  }

  tensor(name: string, shape: readonly number[], values: Float32Array): Value {
    return this.#initializer({ name, shape, values });
  }

  /** One float32 number, for all elements. */
  constant(value: number): Value {
    const text = Object.is(value, -0) ? "-0" : String(Math.fround(value));
    return this.#initializer({ name: `constant ${text}`, shape: [], values: Float32Array.of(value) });
  }

  /** A list of whole numbers: a shape, or axes. */
  integers(values: readonly number[]): Value {
    return this.#initializer({
      name: `integers ${values.join(" ")}`,
      shape: [values.length],
      values: BigInt64Array.from(values, BigInt),
    });
  }

  /** The last value gets the name of the graph's output. */
  finish(value: Value, name: string): void {
    const last = this.nodes.at(-1);
    if (last?.output === value) this.nodes[this.nodes.length - 1] = { ...last, output: name };
    else this.nodes.push({ type: "Identity", inputs: [value], output: name, attributes: {} });
  }

  #initializer(initializer: Initializer): Value {
    const { name } = initializer;
    if (!this.#initializers.has(name)) this.#initializers.set(name, initializer);
    return name;
  }
}

export const floatAttribute = (float: number): Attribute => ({ float });
