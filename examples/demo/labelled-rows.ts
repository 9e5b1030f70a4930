/** @file Rows of numbers, each with its class, as a table of one batch. */
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Uint8,
} from "apache-arrow";

/** @param images rows of `width` numbers, one behind the other; the column `image` @param labels the column `label` */
export function labelledRows(images: Float32Array, labels: Uint8Array, width: number): Table {
  const item = new Field("item", new Float32(), false);
  const list = new FixedSizeList(width, item);
  const schema = new Schema([new Field("image", list, false), new Field("label", new Uint8(), false)]);
  const { length } = labels;
  const values = makeData({ type: item.type, data: images });
  const children = [
    makeData({ type: list, length, nullCount: 0, child: values }),
    makeData({ type: new Uint8(), data: labels }),
  ];
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}
