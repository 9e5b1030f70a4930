/** @file Whether a field of Arrow holds numbers of one shape in every row: single ones, lists of them, tensors. */
import { extensionOf, type Field } from "../../formats/arrow/schema.ts";
import { fixedShape } from "../../formats/arrow/tensorExtension.ts";
import { typeText } from "../../formats/arrow/typeText.ts";
import { isNumberType, type NumberType } from "./numbers.ts";

export interface NumberField {
  readonly type: NumberType;
  /** Of one row; -1 for the length of lists, which their rows tell. */
  readonly shape: readonly number[];
  /** For each axis of the shape the axis in memory that it is. */
  readonly permutation: readonly number[] | null;
  /** Bytes of an offset where the outermost axis is that of lists. */
  readonly listWidth: 4 | 8 | null;
  /** From the field down to the one with the values. */
  readonly path: readonly Field[];
}

/** Reads a field; a text says why it is none. It follows "The column is". */
export function readNumberField(field: Field): NumberField | string {
  if (field.dictionary !== null)
    return "dictionary-encoded: decode it first, in PyArrow with pc.dictionary_decode";
  const { type, children } = field;
  const extension = extensionOf(field);
  if (extension === "arrow.variable_shape_tensor")
    return "a variable_shape_tensor: its rows have no common shape";
  if (extension === "arrow.fixed_shape_tensor") {
    const tensor = fixedShape(field);
    if (typeof tensor === "string") return `no valid ${extension}: ${tensor}`;
    const values = readNumberField(tensor.values);
    if (typeof values === "string") return `a tensor whose values are no numbers: ${values}`;
    const { shape, permutation } = tensor;
    const order = permutation ?? shape.map((_, axis) => axis);
    return {
      type: values.type,
      shape: order.map((axis) => shape[axis]!),
      permutation,
      listWidth: null,
      path: [field, tensor.values],
    };
  }
  switch (type.kind) {
    case "bool":
      return plain(field, "bool");
    case "float":
      return plain(field, type.dtype);
    case "int":
      return isNumberType(type.text) ? plain(field, type.text) : typeText(field);
    case "fixed_size_list":
    case "list":
    case "large_list": {
      const values = readNumberField(children[0]!);
      if (typeof values === "string") return `${typeText(field)}, not numbers`;
      if (values.listWidth !== null) return `${typeText(field)}: only the outermost lists may vary in length`;
      const size = type.kind === "fixed_size_list" ? type.size : -1;
      return {
        type: values.type,
        shape: [size, ...values.shape],
        permutation: values.permutation && [0, ...values.permutation.map((axis) => axis + 1)],
        listWidth: type.kind === "list" ? 4 : type.kind === "large_list" ? 8 : null,
        path: [field, ...values.path],
      };
    }
    default:
      return `${typeText(field)}, not numbers`;
  }
}

function plain(field: Field, type: NumberType): NumberField {
  return { type, shape: [], permutation: null, listWidth: null, path: [field] };
}
