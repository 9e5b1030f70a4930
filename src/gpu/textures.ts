/**
 * @file Arrays of headless-gl: textures of float32, four elements a texel, and their way there and back.
 *
 * ```text
 *   slot --gather--> array --texImage2D--> texture --kernels--> texture --readPixels--> array --scatter--> slot
 * ```
 */
import { GpuError } from "../errors.ts";
import type { Gl, GlTexture } from "./gl.ts";
import type { HeldArray, StagingOf } from "./gpu.ts";

/** Elements of a texel. */
const TEXEL = 4;
/** OpenGL's errors (ES 2.0, section 2.5), by their numbers. */
const ERRORS: Readonly<Record<number, string>> = {
  1280: "invalid enum",
  1281: "invalid value",
  1282: "invalid operation",
  1285: "out of memory",
  1286: "invalid framebuffer operation",
};

/** What gpu.js takes for one of its own textures: it asks for these properties, and that all arguments are of one class. */
export class Texture implements HeldArray {
  readonly type = "MemoryOptimizedNumberTexture";
  readonly context: Gl;
  readonly texture: GlTexture;
  /** Width and height, in texels. */
  readonly size: Int32Array;
  readonly length: number;
  readonly dimensions: Int32Array;

  constructor(context: Gl, texture: GlTexture, size: Int32Array, length: number) {
    this.context = context;
    this.texture = texture;
    this.size = size;
    this.length = length;
    this.dimensions = Int32Array.of(length, 1, 1);
  }

  get width(): number {
    return this.size[0]!;
  }

  get height(): number {
    return this.size[1]!;
  }

  /** Elements that it holds, `length` of them in use. */
  get roomFor(): number {
    return TEXEL * this.width * this.height;
  }
}

/** A texture for so many elements; nearly square, for its sides are bounded. */
export function makeTexture(gl: Gl, length: number): Texture {
  const texels = Math.ceil(length / TEXEL);
  const width = 2 ** Math.ceil(Math.log2(texels) / 2);
  const size = Int32Array.of(width, Math.ceil(texels / width));
  const texture = new Texture(gl, gl.createTexture(), size, length);
  bind(texture);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  }
  return texture;
}

/** gpu.js keeps to the units below, but for moments in which it binds what it needs itself. */
function bind({ context: gl, texture }: Texture): void {
  gl.activeTexture(gl.TEXTURE15);
  gl.bindTexture(gl.TEXTURE_2D, texture);
}

/** Sends an array of `roomFor` elements. */
export function upload(texture: Texture, values: Float32Array): void {
  const { context: gl, width, height } = texture;
  bind(texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.FLOAT, values);
}

/** Fills an array of `roomFor` elements, once the texture is computed. */
export function download(texture: Texture, framebuffer: object, values: Float32Array): void {
  const { context: gl, width, height } = texture;
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, values);
}

/** OpenGL's calls do not throw. @throws GpuError with what went wrong since the last time */
export function checkErrors(gl: Gl): void {
  const error = gl.getError();
  if (error === gl.NO_ERROR) return;
  // One is given at a time, and the next work must not find those that are left.
  while (gl.getError() !== gl.NO_ERROR);
  throw new GpuError(`The GPU refused the work: headless-gl: ${ERRORS[error] ?? error}`, {
    remedy:
      error === gl.OUT_OF_MEMORY
        ? "Give it less at a time (--memory 64MiB), or compute on the CPU: --device cpu."
        : "Update the driver, or compute on the CPU: --device cpu.",
  });
}

/** Work takes turns: kernels write where they wrote before. */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>;

export class TextureStaging implements StagingOf<Texture> {
  readonly #gl: Gl;
  readonly #turns: Turns;
  readonly #framebuffer: object;
  #inputs: { readonly texture: Texture; readonly values: Float32Array }[] = [];
  #outputs: Float32Array[] = [];

  constructor(gl: Gl, framebuffer: object, turns: Turns) {
    this.#gl = gl;
    this.#framebuffer = framebuffer;
    this.#turns = turns;
  }

  async open(lengths: readonly number[]): Promise<readonly Float32Array[]> {
    return lengths.map((length, i) => {
      const known = this.#inputs[i];
      if (known?.texture.length !== length) {
        if (known) this.#gl.deleteTexture(known.texture.texture);
        const texture = makeTexture(this.#gl, length);
        this.#inputs[i] = { texture, values: new Float32Array(texture.roomFor) };
      }
      return this.#inputs[i]!.values.subarray(0, length);
    });
  }

  run(
    lengths: readonly number[],
    work: (arrays: readonly Texture[]) => Promise<readonly Texture[]>,
    take: (results: readonly Float32Array[]) => void,
  ): Promise<void> {
    return this.#turns(async () => {
      const inputs = this.#inputs.slice(0, lengths.length);
      for (const { texture, values } of inputs) upload(texture, values);
      const results = await work(inputs.map(({ texture }) => texture));
      const arrays = results.map((texture, i) => {
        if (this.#outputs[i]?.length !== texture.roomFor)
          this.#outputs[i] = new Float32Array(texture.roomFor);
        download(texture, this.#framebuffer, this.#outputs[i]!);
        return this.#outputs[i]!.subarray(0, texture.length);
      });
      checkErrors(this.#gl);
      take(arrays);
    });
  }

  close(): void {
    for (const { texture } of this.#inputs.splice(0)) this.#gl.deleteTexture(texture.texture);
    this.#outputs = [];
  }
}
