/** @file Writes the type of a field as people do: `list<float32>`, `dictionary<int32, utf8>`, `timestamp[us, UTC]`. */
import { extensionMetadata, extensionOf, type Field } from "./schema.ts";
import { fixedShape, variableShape } from "./tensorExtension.ts";

export function typeText(field: Field): string {
  const extension = extensionOf(field);
  const text = extension === undefined ? storageText(field) : extensionText(field, extension);
  return field.dictionary === null ? text : `dictionary<${field.dictionary.index}, ${text}>`;
}

function storageText({ type, children }: Field): string {
  const inside = () => children.map(typeText).join(", ");
  const named = () => children.map((child) => `${child.name}: ${typeText(child)}`).join(", ");
  switch (type.kind) {
    case "float":
      return type.dtype;
    case "int":
    case "fixed":
      return type.text;
    case "fixed_size_list":
      return `fixed_size_list<${inside()}>[${type.size}]`;
    case "union":
      return `${type.dense ? "dense" : "sparse"}_union<${named()}>`;
    case "struct":
      return `struct<${named()}>`;
    case "map":
      return `map<${(children[0]?.children ?? []).map(typeText).join(", ")}>`;
    case "unknown":
      return `unknown type ${type.id}`;
    default:
      return children.length === 0 ? type.kind : `${type.kind}<${inside()}>`;
  }
}

function extensionText(field: Field, extension: string): string {
  if (extension === "arrow.fixed_shape_tensor") {
    const tensor = fixedShape(field);
    if (typeof tensor !== "string") {
      const { shape, permutation } = tensor;
      const order = permutation === null ? "" : ` permuted [${permutation.join(", ")}]`;
      return `fixed_shape_tensor<${typeText(tensor.values)}>[${shape.join(", ")}]${order}`;
    }
  }
  if (extension === "arrow.variable_shape_tensor") {
    const tensor = variableShape(field);
    if (typeof tensor !== "string") {
      const shape = tensor.shape.map((length) => length ?? "?").join(", ");
      const order = tensor.permutation === null ? "" : ` permuted [${tensor.permutation.join(", ")}]`;
      return `variable_shape_tensor<${typeText(tensor.values)}>[${shape}]${order}`;
    }
  }
  const parameters = extensionMetadata(field);
  const short = parameters !== "" && parameters.length <= 40 && !/[^\x20-\x7e]/.test(parameters);
  return `extension<${extension}${short ? `(${parameters})` : ""}, ${storageText(field)}>`;
}
