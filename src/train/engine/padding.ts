/** @file Images with a frame around them, one at a time, in the scratch memory of a thread. */
import type { Pair } from "../layers.ts";
import type { Tools } from "./tools.ts";

const FLOAT_BYTES = 4;

export class Padding {
  /** Height and width with the frame. */
  readonly plane: Pair;
  /** Bytes of an image with its frame; 0 where there is none, and images are taken as they are. */
  readonly bytes: number;
  readonly #tools: Tools;
  readonly #shape: readonly number[];
  readonly #padding: Pair;

  /** @param shape of the images: [channels, height, width] */
  constructor(tools: Tools, shape: readonly number[], padding: Pair) {
    const [channels, height, width] = shape as [number, number, number];
    this.#tools = tools;
    this.#shape = shape;
    this.#padding = padding;
    this.plane = [height + 2 * padding[0], width + 2 * padding[1]];
    const isFramed = padding[0] > 0 || padding[1] > 0;
    this.bytes = isFramed ? FLOAT_BYTES * channels * this.plane[0] * this.plane[1] : 0;
  }

  /** The address of the image at `image` with its frame of `value`: in `scratch`, unless there is none. */
  frame(image: number, scratch: number, value: number): number {
    if (this.bytes === 0) return image;
    const { singles } = this.#tools;
    singles.fill(value, scratch / 4, (scratch + this.bytes) / 4);
    this.#forEachLine(scratch, image, (framed, plain, width) => {
      singles.copyWithin(framed, plain, plain + width);
    });
    return scratch;
  }

  /** Where to add up an image with its frame, all zeros. */
  begin(image: number, scratch: number): number {
    const { singles } = this.#tools;
    const [channels, height, width] = this.#shape as [number, number, number];
    if (this.bytes === 0) singles.fill(0, image / 4, image / 4 + channels * height * width);
    else singles.fill(0, scratch / 4, (scratch + this.bytes) / 4);
    return this.bytes === 0 ? image : scratch;
  }

  /** Takes the image without its frame to `image`. */
  end(image: number, scratch: number): void {
    if (this.bytes === 0) return;
    const { singles } = this.#tools;
    this.#forEachLine(scratch, image, (framed, plain, width) => {
      singles.copyWithin(plain, framed, framed + width);
    });
  }

  #forEachLine(
    framed: number,
    plain: number,
    visit: (framed: number, plain: number, width: number) => void,
  ): void {
    const [channels, height, width] = this.#shape as [number, number, number];
    const [top, left] = this.#padding;
    const [allRows, allColumns] = this.plane;
    for (let line = 0; line < channels * height; line++) {
      const row = Math.floor(line / height) * allRows + top + (line % height);
      visit(framed / 4 + row * allColumns + left, plain / 4 + line * width, width);
    }
  }
}
