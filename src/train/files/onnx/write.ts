/** @file A model as an ONNX file. */
import { UnsupportedError } from "../../../errors.ts";
import type { Trained } from "../../trained.ts";
import { describeModel, KEY } from "../describe.ts";
import { type WriteOptions, writeWhole } from "../tensor-file.ts";
import { graphOf } from "./layers.ts";
import { encodeModel } from "./proto.ts";

/** No reader of protocol buffers takes more (protobuf.dev/programming-guides/proto-limits). */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Writes what `predict` computes. Its metadata hold what the safetensors file holds, the classes among it.
 *
 * @throws OutputExistsError, IoError; UnsupportedError beyond 2 GiB
 */
export async function writeOnnx(path: string, model: Trained, options: WriteOptions = {}): Promise<void> {
  const metadata = new Map([[KEY, describeModel(model)]]);
  const { parts, length } = encodeModel(graphOf(model.network, model.tensors), "sluice", metadata);
  if (length > MOST_BYTES) {
    throw new UnsupportedError(
      `The model takes ${length} bytes, and an ONNX file holds at most ${MOST_BYTES}`,
      {
        position: { path },
        remedy: "Save it as safetensors.",
      },
    );
  }
  await writeWhole(path, parts, options);
}
