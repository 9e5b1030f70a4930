/**
 * @file The two canonical extension types that hold tensors, read from their storage and their JSON parameters.
 *
 * ```text
 *   arrow.fixed_shape_tensor      fixed_size_list<T>[product of the shape], {"shape": [2, 3], "permutation": [1, 0]}
 *   arrow.variable_shape_tensor   struct<data: list<T>, shape: fixed_size_list<int32>[ndim]>, {"uniform_shape": [2, null]}
 * ```
 * Elements are row-major in the physical shape; dimension i of the logical shape is dimension `permutation[i]` of the
 * physical one. Source: "Canonical Extension Types" in the Arrow specification.
 */
import { extensionMetadata, type Field } from "./schema.ts";

export interface FixedShape {
  /** Physical shape. */
  readonly shape: readonly number[];
  readonly permutation: readonly number[] | null;
  readonly values: Field;
}

export interface VariableShape {
  /** Physical shape, `null` for a dimension that varies from row to row. */
  readonly shape: readonly (number | null)[];
  readonly permutation: readonly number[] | null;
  /** The list that holds the elements, and its values. */
  readonly data: Field;
  readonly values: Field;
}

/** The parameters of a fixed shape tensor, or why they are invalid. */
export function fixedShape(field: Field): FixedShape | string {
  const { type } = field;
  if (type.kind !== "fixed_size_list") return "its storage is no fixed_size_list";
  const values = field.children[0]!;
  if (values.children.length > 0) return "its values are nested";
  const parameters = parseObject(extensionMetadata(field));
  if (parameters === null) return "its parameters are no JSON object";
  const { shape } = parameters;
  if (!Array.isArray(shape) || !shape.every(isLength)) return "its shape is no array of lengths";
  if (shape.reduce((product, length) => product * length, 1) !== type.size) {
    return `its shape [${shape.join(", ")}] does not multiply to its list size ${type.size}`;
  }
  const permutation = readPermutation(parameters.permutation, shape.length);
  if (permutation === undefined) return "its permutation does not permute its dimensions";
  return { shape, permutation, values };
}

/** The parameters of a variable shape tensor, or why they are invalid. */
export function variableShape(field: Field): VariableShape | string {
  const data = field.children.find((child) => child.name === "data");
  const shape = field.children.find((child) => child.name === "shape");
  if (field.type.kind !== "struct" || data === undefined || shape === undefined) {
    return "its storage is no struct of data and shape";
  }
  if (field.children.length !== 2) return "its storage has more children than data and shape";
  if (data.type.kind !== "list" && data.type.kind !== "large_list") return "its data is no list";
  const values = data.children[0]!;
  if (data.dictionary !== null || values.children.length > 0) return "its data is no list of plain values";
  if (shape.type.kind !== "fixed_size_list") return "its shape is no fixed_size_list";
  const dimensions = shape.type.size;
  const text = extensionMetadata(field);
  const parameters = text === "" ? {} : parseObject(text);
  if (parameters === null) return "its parameters are no JSON object";
  const uniform = parameters.uniform_shape ?? null;
  if (
    uniform !== null &&
    !(
      Array.isArray(uniform) &&
      uniform.length === dimensions &&
      uniform.every((n) => n === null || isLength(n))
    )
  ) {
    return `its uniform_shape is no array of ${dimensions} lengths`;
  }
  const permutation = readPermutation(parameters.permutation, dimensions);
  if (permutation === undefined) return "its permutation does not permute its dimensions";
  // A lying number of dimensions must not allocate; no real tensor has more than 64.
  if (dimensions > 64) return `it has ${dimensions} dimensions`;
  return { shape: uniform ?? new Array<null>(dimensions).fill(null), permutation, data, values };
}

/** `null` where there is none (absent, null or, as PyArrow may write it, empty); undefined where it is invalid. */
function readPermutation(value: unknown, dimensions: number): number[] | null | undefined {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0) return null;
  if (value.length !== dimensions) return undefined;
  const seen = new Set<number>(value.filter((i) => Number.isInteger(i) && i >= 0 && i < dimensions));
  return seen.size === dimensions ? value : undefined;
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
