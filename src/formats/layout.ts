/**
 * @file What a container says of its bytes: which are tensor elements, and which are only carried along.
 *
 * A layout is a generator that walks the input from front to back and yields steps; it never holds a body. The driver
 * (in `pipeline`) answers `peek` with bytes and does the rest itself, so that one description of a format serves
 * files, pipes and `inspect` alike.
 *
 * ```text
 *   input    | magic | schema message | batch metadata | validity | values ......... | padding | footer |
 *   steps      keep    peek, keep       peek, keep       keep       elements           keep      keep
 * ```
 */
import type { Dtype } from "../ops/dtype.ts";

/** Container formats: the Arrow IPC file and stream formats, and NumPy's npy. */
export type Format = "arrow" | "arrows" | "npy";

/** Which channel an element belongs to: element i is in channel `floor(i / stride) % count`. */
export interface Channels {
  readonly count: number;
  readonly stride: number;
}

/** A column (or an npy array) whose elements are computed. */
export interface TensorColumn {
  /** `embedding`, `point.x`; empty for npy. */
  readonly name: string;
  readonly dtype: Dtype;
  /** Shape of one row, `null` for a length that varies; for npy the whole array's shape. */
  readonly shape: readonly (number | null)[];
  /** The place of each axis in memory, 0 for the one whose steps are largest; left out, they are in their order. */
  readonly order?: readonly number[];
  /** The last axis, where it has a fixed length. */
  readonly channels: Channels | null;
}

/** One column of the schema, for `inspect` and for error messages. */
export interface FieldSummary {
  readonly name: string;
  /** As people write it: `fixed_shape_tensor<float32>[28, 28]`. */
  readonly type: string;
  readonly nullable: boolean;
  /** `computed` is selected; `tensor` could be; `plain` carries no tensor; `skipped` looks like one but is not handled. */
  readonly role: "computed" | "tensor" | "plain" | "skipped";
  /** For `skipped`: why. */
  readonly reason?: string;
}

export type Step =
  /** The schema is known; comes once per stream, before any `elements`. */
  | {
      readonly step: "schema";
      readonly fields: readonly FieldSummary[];
      readonly tensors: readonly TensorColumn[];
      readonly metadata: ReadonlyMap<string, string>;
    }
  /** Answer with the next `length` bytes without moving; fewer only where the input ends. */
  | { readonly step: "peek"; readonly length: number }
  /** Go on at this byte of the input; only for inputs with random access. */
  | { readonly step: "seek"; readonly offset: number }
  /**
   * The next `length` bytes go to the output as they are. With `retain` they are elements of the other column, for an
   * `elements` step that comes later in the batch of an input that cannot seek: whoever computes needs a copy.
   */
  | { readonly step: "keep"; readonly length: number; readonly retain?: true }
  /** The next `length` bytes do not go to the output. */
  | { readonly step: "drop"; readonly length: number }
  /** These bytes go to the output here. */
  | { readonly step: "emit"; readonly bytes: Uint8Array }
  /**
   * The next `count` elements of `tensors[tensor]` are computed; the first is element `first` of its column or batch.
   * `other` is where the elements of the other column (`LayoutOptions.other`) that stand beside them begin, in bytes of
   * the input.
   */
  | {
      readonly step: "elements";
      readonly tensor: number;
      readonly count: number;
      readonly first: number;
      readonly other?: number;
    }
  /** A batch ends here: `rows` more are done. */
  | { readonly step: "batch"; readonly rows: number };

/** A walk over one input. The value sent into the generator answers the last `peek`; it is good until the next one. */
export type Steps = Generator<Step, void, Uint8Array>;

export interface LayoutOptions {
  /** Columns to compute; default: every tensor column. */
  readonly columns?: readonly string[] | undefined;
  /**
   * A second column (x), read beside the one that is computed (dy): of the same type and, row by row, of the same shape.
   * Then `columns` names one column.
   */
  readonly other?: string | undefined;
  /** Whether rows of varying length are to be one `elements` step each, for ops along the last axis. */
  readonly byRow?: boolean | undefined;
  /** Whether a schema without any tensor is fine, as for `inspect`; otherwise it is an error that lists what could be named. */
  readonly mayLackTensors?: boolean | undefined;
  /** Total bytes of the input, where they are known; then no length beyond them is believed. */
  readonly size?: number | undefined;
  /** Whether the input can `seek`. */
  readonly random: boolean;
  /** Bytes of a batch that a walk may hold where it cannot seek. */
  readonly memory?: number | undefined;
  /** Format to write; default: the format read. */
  readonly to?: Format | undefined;
  /** For error messages. */
  readonly path?: string | undefined;
}
