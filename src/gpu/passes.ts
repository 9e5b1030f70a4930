/**
 * @file Cuts the elements of a window into passes: what is computed at once, of all tensors that the same kernels serve,
 * and at most as much as the device's arrays hold.
 *
 * ```text
 *   slot     | … dy dy dy … | dy dy … | x x x | x x |        a piece: [offset, offset of x, count, place, element size]
 *   arrays   dy | dy dy dy dy dy ....... |
 *            x  | x  x  x  x  x  ....... |
 * ```
 */
import { RANGE_STRIDE, type Ranges } from "../device.ts";
import { GpuError } from "../errors.ts";
import type { Channels } from "../formats/layout.ts";
import type { Flat } from "./kernel-source.ts";

/** What matters here of a tensor. */
export interface TensorShape {
  /** Tensors with the same number are computed by the same kernels. */
  readonly kernels: number;
  /** 2 for float16, 4 for float32. */
  readonly bytesPerElement: 2 | 4;
  /** Where the program asks which channel an element is in. */
  readonly channels: Channels | null;
  /** Of row-wise programs: the length of the rows, null where a range is a row. */
  readonly rows: { readonly length: number | null } | null;
}

export interface Pass {
  readonly kernels: number;
  readonly flat: Flat;
  /** `PIECE` numbers each: bytes from the start of the slot to the elements, the same to x's, count, place in the arrays, bytes of an element. */
  readonly pieces: readonly number[];
}
export const PIECE = 5;

/** Elements that may be computed for nothing, so that a range goes with the one before it. */
const MOST_GAP = 4096;
/** Kernels compute with 32-bit indices; of longer runs of a channel they see the end. */
const MOST_STRIDE = 2 ** 30;

/** The channels as kernels see them. */
export function channelsOnDevice({ count, stride }: Channels): Channels {
  return { count, stride: Math.min(stride, MOST_STRIDE) };
}

/** A pass in the making. */
interface Draft {
  readonly tensor: TensorShape;
  readonly rowLength: number;
  /** Index of its first element in the period of the channels. */
  readonly first: number;
  readonly pieces: number[];
  length: number;
}

/**
 * @param most elements of a pass
 * @param gapless whether nothing but elements may be between pieces: what has sums would add it
 * @throws GpuError where a row has more than `most` elements
 */
export function cutPasses(
  ranges: Ranges,
  tensors: readonly TensorShape[],
  most: number,
  gapless: boolean,
): readonly Pass[] {
  const drafts: Draft[] = [];
  /** The last one of each sort. */
  const last = new Map<string, Draft>();
  for (let at = 0; at < ranges.length; at += RANGE_STRIDE) {
    const tensor = tensors[ranges[at + 2]!]!;
    const { bytesPerElement, rows } = tensor;
    const rowLength = rows ? (rows.length ?? ranges[at + 1]!) : 0;
    const grain = Math.max(1, rowLength);
    if (grain > most) {
      throw new GpuError(
        `A row of ${rowLength} elements does not fit an array of the GPU, which holds ${most}`,
        {
          remedy: "Compute it on the CPU: --device cpu.",
        },
      );
    }
    const count = ranges[at + 1]! - (ranges[at + 1]! % grain);
    const sort = `${tensor.kernels} ${rowLength}`;
    for (let done = 0; done < count; ) {
      const first = (ranges[at + 3]! + done) % periodOf(tensor);
      let draft = last.get(sort);
      const gap = draft ? gapBefore(draft, first) : 0;
      if (!draft || draft.length + gap + grain > most || gap > (gapless ? 0 : MOST_GAP)) {
        draft = { tensor, rowLength, first, pieces: [], length: 0 };
        drafts.push(draft);
        last.set(sort, draft);
      } else {
        draft.length += gap;
      }
      const room = most - draft.length;
      const length = Math.min(count - done, room - (room % grain));
      const bytes = done * bytesPerElement;
      draft.pieces.push(ranges[at]! + bytes, ranges[at + 4]! + bytes, length, draft.length, bytesPerElement);
      draft.length += length;
      done += length;
    }
  }
  return drafts.map(({ tensor, rowLength, first, pieces, length }) => ({
    kernels: tensor.kernels,
    flat: { length, rowLength, ...placeOf(first, tensor.channels) },
    pieces,
  }));
}

const periodOf = ({ channels }: TensorShape): number => (channels ? channels.count * channels.stride : 1);

/** Elements to leave out so that the next one is in its channel. */
function gapBefore({ tensor, first, length }: Draft, next: number): number {
  const period = periodOf(tensor);
  return (((next - first - length) % period) + period) % period;
}

function placeOf(first: number, channels: Channels | null): Pick<Flat, "channel" | "within"> {
  if (!channels) return { channel: 0, within: 0 };
  const { stride } = channels;
  const channel = Math.floor(first / stride);
  const left = stride - (first - channel * stride);
  return { channel, within: Math.max(0, channelsOnDevice(channels).stride - left) };
}
