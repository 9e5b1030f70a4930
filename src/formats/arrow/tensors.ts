/**
 * @file Whether a field holds a tensor of floats, of which shape, and where its values are; or why it does not.
 *
 * A tensor is a list of floats (list, large_list or fixed_size_list, nested to any depth) or one of the two canonical
 * tensor extension types. A plain float column is one too, of shape [], but only when it is named. All else that holds
 * lists of floats is `skipped`: it looks like a tensor, and is passed through.
 */
import type { Dtype } from "../../ops/dtype.ts";
import type { Channels, FieldSummary, TensorColumn } from "../layout.ts";
import { extensionOf, type Field } from "./schema.ts";
import { fixedShape, variableShape } from "./tensorExtension.ts";
import { typeText } from "./typeText.ts";

type Role = Exclude<FieldSummary["role"], "computed">;

export interface Computable {
  readonly computable: true;
  readonly dtype: Dtype;
  readonly shape: TensorColumn["shape"];
  readonly order?: TensorColumn["order"] & {};
  readonly channels: Channels | null;
  /** From the field down to the one whose buffer holds the values. */
  readonly path: readonly Field[];
  /** What the field is when it is not selected; `tensor` is selected by default. */
  readonly role: Role;
  /** Why it is not selected by default although it holds floats; follows "The column is". */
  readonly reason?: string;
}

export interface NotComputable {
  readonly computable: false;
  readonly role: Role;
  /** Follows "The column is": "a map, which is not computed". */
  readonly problem: string;
  readonly remedy?: string;
  /** The class of error when it is selected all the same. */
  readonly error: "column" | "unsupported" | "corrupt";
}

export type Reading = Computable | NotComputable;

export function readTensor(field: Field): Reading {
  if (field.dictionary !== null) {
    return unhandled(field, "dictionary-encoded", "Decode it first, in PyArrow with pc.dictionary_decode.");
  }
  switch (extensionOf(field)) {
    case undefined:
      return readStorage(field);
    case "arrow.fixed_shape_tensor":
      return readFixedShape(field);
    case "arrow.variable_shape_tensor":
      return readVariableShape(field);
    default:
      return readUnknownExtension(field);
  }
}

function readStorage(field: Field): Reading {
  const { type } = field;
  switch (type.kind) {
    case "float":
      return { computable: true, dtype: type.dtype, shape: [], channels: null, path: [field], role: "plain" };
    case "list":
    case "large_list":
      return readList(field, null);
    case "fixed_size_list":
      return readList(field, type.size);
    case "struct":
      return { computable: false, role: "plain", error: "column", problem: "a struct, not a tensor" };
    case "list_view":
    case "large_list_view": {
      const list = type.kind === "list_view" ? "list" : "large_list";
      return unhandled(field, `a ${type.kind}`, `Cast it to a ${list} first, in PyArrow with cast.`);
    }
    case "map":
      return unhandled(field, "a map", "Put its values into a list column of their own first.");
    case "union":
      return unhandled(field, "a union", "Put its floats into a column of their own first.");
    case "run_end_encoded":
      return unhandled(field, "run-end encoded", "Decode it first, in PyArrow with pc.run_end_decode.");
    case "int":
      return {
        ...{ computable: false, role: "plain", error: "column" },
        problem: `${typeText(field)}: integers are not computed`,
        remedy: `Cast it to floats first, in PyArrow: column.cast(${castOf(field)}).`,
      };
    default:
      return plain(field);
  }
}

/** A list of what its child is: `size` is its length, `null` where that varies. */
function readList(field: Field, size: number | null): Reading {
  const values = readTensor(field.children[0]!);
  if (!values.computable) {
    if (values.error === "corrupt") return values;
    if (isInteger(field)) {
      return {
        ...{ computable: false, role: "plain", error: "column" },
        problem: `${typeText(field)}: integers are not computed`,
        remedy: `Cast it to floats first, in PyArrow: column.cast(${castOf(field)}).`,
      };
    }
    if (!holdsFloatList(field)) return plain(field);
    return unhandled(
      field,
      `${typeText(field)}, with lists of floats inside`,
      "Put its lists of floats into a column of their own first.",
    );
  }
  // The last axis is this one where the values are single floats; else it is within the values.
  const innermost = values.shape.length === 0;
  const channels = innermost && size !== null ? { count: size, stride: 1 } : values.channels;
  return {
    computable: true,
    dtype: values.dtype,
    shape: [size, ...values.shape],
    ...(values.order && { order: [0, ...values.order.map((place) => place + 1)] }),
    channels: innermost && size === null ? null : channels,
    path: [field, ...values.path],
    ...(values.reason === undefined ? { role: "tensor" } : { role: "skipped", reason: values.reason }),
  };
}

function readFixedShape(field: Field): Reading {
  const tensor = fixedShape(field);
  if (typeof tensor === "string") return invalid(field, tensor);
  const values = readTensor(tensor.values);
  if (!values.computable) return isInteger(field) ? integers(tensor.values) : plain(field);
  const { shape, permutation } = tensor;
  const order = permutation ?? shape.map((_, i) => i);
  const last = order.at(-1);
  return {
    computable: true,
    dtype: values.dtype,
    shape: order.map((axis) => shape[axis]!),
    ...(permutation && { order }),
    // Row-major in the physical shape: one step along an axis passes all that lies within the axes after it.
    channels:
      last === undefined
        ? null
        : {
            count: shape[last]!,
            stride: shape.slice(last + 1).reduce((product, length) => product * length, 1),
          },
    path: [field, tensor.values],
    ...roleOf(values),
  };
}

function readVariableShape(field: Field): Reading {
  const tensor = variableShape(field);
  if (typeof tensor === "string") return invalid(field, tensor);
  const values = readTensor(tensor.values);
  if (!values.computable) return isInteger(tensor.data) ? integers(tensor.values) : plain(field);
  const order = tensor.permutation ?? tensor.shape.map((_, i) => i);
  return {
    computable: true,
    dtype: values.dtype,
    shape: order.map((axis) => tensor.shape[axis]!),
    // Even where the last axis is uniform: a list may hold values that no row refers to (before its first offset, under
    // a null), of any number, so that the index of an element does not tell its channel.
    channels: null,
    path: [field, tensor.data, tensor.values],
    ...roleOf(values),
  };
}

/** Its storage, but only when it is named: an unknown type may give its floats a meaning that an operation breaks. */
function readUnknownExtension(field: Field): Reading {
  const storage = readStorage(field);
  if (!storage.computable) return storage;
  const reason = `of the unknown extension type ${extensionOf(field)}; its storage is computed when it is named`;
  return { ...storage, role: storage.role === "plain" ? "plain" : "skipped", reason };
}

function roleOf(values: Computable): { role: "tensor" } | { role: "skipped"; reason: string } {
  return values.reason === undefined ? { role: "tensor" } : { role: "skipped", reason: values.reason };
}

function plain(field: Field): NotComputable {
  return {
    ...{ computable: false, role: "plain", error: "column" },
    problem: `${typeText(field)}, not a tensor of floats`,
  };
}

/** A kind of column that is not computed whatever it holds. */
function unhandled(field: Field, kind: string, remedy: string): NotComputable {
  const looksLikeTensor = holdsFloatList(field);
  return {
    computable: false,
    role: looksLikeTensor ? "skipped" : "plain",
    problem: `${kind}, which is not computed`,
    remedy,
    error: looksLikeTensor ? "unsupported" : "column",
  };
}

function integers(values: Field): NotComputable {
  return {
    ...{ computable: false, role: "plain", error: "column" },
    problem: `a tensor of ${typeText(values)}: integers are not computed`,
    remedy:
      "Build it from floats, in PyArrow: cast its storage, then wrap it in the extension type with pa.float32().",
  };
}

/** It says that it is a tensor, and then contradicts itself. */
function invalid(field: Field, problem: string): NotComputable {
  return {
    computable: false,
    role: "tensor",
    problem: `no valid ${extensionOf(field)}: ${problem}`,
    error: "corrupt",
  };
}

/** Whether a list of floats is anywhere in the field, itself included. */
function holdsFloatList(field: Field): boolean {
  const { kind } = field.type;
  const isList = kind.endsWith("list") || kind.endsWith("list_view");
  if (isList && field.children[0]!.type.kind === "float") return true;
  return field.children.some(holdsFloatList);
}

/** Whether the field is lists of integers, of any depth. */
function isInteger(field: Field): boolean {
  const { kind } = field.type;
  if (field.dictionary !== null) return false;
  if (kind === "int") return true;
  return (
    (kind === "list" || kind === "large_list" || kind === "fixed_size_list") && isInteger(field.children[0]!)
  );
}

/** The same type of floats, in PyArrow's words. */
function castOf({ type, children }: Field): string {
  switch (type.kind) {
    case "list":
      return `pa.list_(${castOf(children[0]!)})`;
    case "large_list":
      return `pa.large_list(${castOf(children[0]!)})`;
    case "fixed_size_list":
      return `pa.list_(${castOf(children[0]!)}, ${type.size})`;
    default:
      return "pa.float32()";
  }
}
