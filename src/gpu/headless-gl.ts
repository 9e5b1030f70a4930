/**
 * @file A GPU through headless-gl, WebGL 1 without a window, where there is no WebGPU. gpu.js makes fragment shaders of the
 * kernels (its mode `headlessgl`), and starts them; a comment stands at each of its traps. All of it blocks the thread.
 */
import { GpuError } from "../errors.ts";
import { checkDriver } from "./driver.ts";
import type { Gl, GlTexture } from "./gl.ts";
import { glslOf } from "./glsl.ts";
import type { Extent, Gpu, GpuInfo, KernelOf } from "./gpu.ts";
import { checkArguments, isArray, lengthOf, notCompiled, settingsOf } from "./kernel-settings.ts";
import type { ArgumentKind, KernelSource } from "./kernel-source.ts";
import { type GpuRates, LEAKY_RELU, timeOf } from "./measure.ts";
import { loadPeer } from "./peers.ts";
import {
  checkErrors,
  download,
  makeTexture,
  Texture,
  TextureStaging,
  type Turns,
  upload,
} from "./textures.ts";

type CreateContext = (width: number, height: number, options: object) => Gl | null;

/** What we use of gpu.js' exports. */
interface GpuJsModule {
  readonly GPU: new (settings: {
    readonly mode: "headlessgl";
    readonly context: Gl;
    readonly canvas: object;
  }) => {
    createKernel(source: string, settings: Readonly<Record<string, unknown>>): Shortcut;
  };
  readonly HeadlessGLKernel: (new () => Inside) & { readonly isSupported: boolean };
}

interface Shortcut {
  (...values: readonly unknown[]): { readonly texture: GlTexture; readonly size: Int32Array };
  readonly kernel: Inside;
  build(...values: readonly unknown[]): void;
  setOutput(output: readonly number[]): void;
  destroy(): void;
}

interface Inside {
  readonly program: object;
}

/** What all who open it share: gpu.js and headless-gl each have state of their own. */
interface Shared {
  readonly module: GpuJsModule;
  readonly gl: Gl;
  readonly gpuJs: InstanceType<GpuJsModule["GPU"]>;
  /** Two triangles over all of the output, and where each of their corners lies in it. */
  readonly corners: object;
  readonly framebuffer: object;
  readonly sample: Texture;
  readonly turns: Turns;
}

/** Texels are counted in float32 on the way. */
const MOST_ELEMENTS = 2 ** 24;
const CORNERS = Float32Array.of(-1, -1, 1, -1, -1, 1, 1, 1, ...[0, 0, 1, 0, 0, 1, 1, 1]);

let shared: Promise<Shared> | undefined;

/** On the main thread. @throws GpuError where a package is missing, no context can be made, or the driver computes otherwise */
export async function openHeadlessGl(): Promise<HeadlessGl> {
  shared ??= open();
  try {
    return new HeadlessGl(await shared);
  } catch (error) {
    shared = undefined;
    throw error;
  }
}

async function open(): Promise<Shared> {
  const create = await loadPeer<CreateContext>("gl");
  const module = await loadPeer<GpuJsModule>("gpu.js");
  const gl = create(2, 2, { preserveDrawingBuffer: true });
  if (!gl) {
    throw new GpuError("headless-gl can make no context", {
      remedy:
        "It needs OpenGL, and on Linux an X server: without one, run it by xvfb-run. Or compute on the CPU: --device cpu.",
    });
  }
  if (!gl.getExtension("OES_texture_float") || !module.HeadlessGLKernel.isSupported) {
    throw new GpuError("gpu.js cannot use headless-gl here", {
      remedy:
        "Install gl where gpu.js is, with a driver that has float textures; or compute on the CPU: --device cpu.",
    });
  }
  const gpuJs = new module.GPU({ mode: "headlessgl", context: gl, canvas: {} });
  const corners = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, corners);
  gl.bufferData(gl.ARRAY_BUFFER, CORNERS, gl.STATIC_DRAW);
  const sample = makeTexture(gl, 1);
  upload(sample, new Float32Array(sample.roomFor));
  let last: Promise<unknown> = Promise.resolve();
  const turns: Turns = (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const made = { module, gl, gpuJs, corners, framebuffer: gl.createFramebuffer(), sample, turns };
  await checkDriver(new HeadlessGl(made));
  return made;
}

export class HeadlessGl implements Gpu<Texture> {
  readonly info: GpuInfo;
  readonly #shared: Shared;
  readonly #kernels = new Set<KernelOf<Texture>>();

  constructor(opened: Shared) {
    const { gl } = opened;
    this.#shared = opened;
    const side = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    this.info = {
      api: "headless-gl",
      adapter: String(gl.getParameter(gl.VERSION)),
      // OpenGL names its renderer, but headless-gl does not tell.
      isSoftware: false,
      arrayBytes: Float32Array.BYTES_PER_ELEMENT * Math.min(MOST_ELEMENTS, 4 * side ** 2),
    };
  }

  async kernel(source: KernelSource): Promise<KernelOf<Texture>> {
    const { gl, gpuJs, module, sample } = this.#shared;
    const { arguments: kinds } = source;
    const glsl = glslOf(source);
    let shortcut: Shortcut | undefined;
    try {
      const created = gpuJs.createKernel(glsl.source, {
        ...settingsOf(glsl),
        ...glsl.native,
        argumentTypes: kinds.map((kind) => TYPES[kind]),
        // Four elements a texel.
        optimizeFloatMemory: true,
        // Else the precision is as low as the size of the output allows.
        tactic: "precision",
        // Else a quotient of whole numbers goes through one of its own, which gives 0 for 0 / -1.
        fixIntegerDivisionAccuracy: false,
      });
      shortcut = created;
      created.build(...kinds.map((kind) => (isArray(kind) ? sample : 0)));
      checkErrors(gl);
    } catch (cause) {
      shortcut?.destroy();
      throw cause instanceof GpuError ? cause : notCompiled(cause as Error);
    }
    const built = shortcut;
    // What its WebGL mode cannot do, gpu.js does on the CPU, with other numbers.
    if (!(built.kernel instanceof module.HeadlessGLKernel)) {
      throw notCompiled(new Error("gpu.js would compute it on the CPU"));
    }
    const start = this.#starter(built, kinds);
    const kernel: KernelOf<Texture> = {
      start: async (values, extent) => start(values, extent),
      dispose: () => {
        if (this.#kernels.delete(kernel)) built.destroy();
      },
    };
    this.#kernels.add(kernel);
    return kernel;
  }

  #starter(shortcut: Shortcut, kinds: readonly ArgumentKind[]) {
    const { gl } = this.#shared;
    const { kernel } = shortcut;
    let known = "";
    return (values: readonly (Texture | number)[], extent: Extent): Texture => {
      const length = lengthOf(extent);
      checkArguments(kinds, values, length);
      // It makes a texture anew, of the same size too.
      if (String(extent) !== known) shortcut.setOutput(typeof extent === "number" ? [extent] : extent);
      known = String(extent);
      this.#placeCorners(kernel.program);
      const { texture, size } = shortcut(...values);
      // Where it finds arguments of other types, it builds another kernel, and loses settings on the way.
      if (shortcut.kernel !== kernel) throw new GpuError("gpu.js changed a kernel", { remedy: "Report it." });
      return new Texture(gl, texture, size, length);
    };
  }

  /** gpu.js does so when it builds a kernel, from a buffer that goes with that kernel; all others then draw nothing. */
  #placeCorners(program: object): void {
    const { gl, corners } = this.#shared;
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    for (const [name, offset] of [
      ["aPos", 0],
      ["aTexCoord", CORNERS.byteLength / 2],
    ] as const) {
      const place = gl.getAttribLocation(program, name);
      if (place < 0) continue;
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, offset);
    }
  }

  staging(): TextureStaging {
    const { gl, framebuffer, turns } = this.#shared;
    return new TextureStaging(gl, framebuffer, turns);
  }

  async rates(): Promise<GpuRates> {
    const { gl, framebuffer, turns } = this.#shared;
    const source = makeTexture(gl, 2 ** 22);
    const host = new Float32Array(source.roomFor);
    const kernel = await this.kernel(LEAKY_RELU);
    const rate = async (work: () => Promise<void> | void): Promise<number> => {
      const once = (): Promise<void> =>
        turns(async () => {
          await work();
          gl.finish();
          checkErrors(gl);
        });
      return (1000 * host.byteLength) / (await timeOf(once));
    };
    try {
      return {
        upload: await rate(() => upload(source, host)),
        compute: await rate(async () => void (await kernel.start([source], source.length))),
        download: await rate(() => download(source, framebuffer, host)),
      };
    } finally {
      kernel.dispose();
      gl.deleteTexture(source.texture);
    }
  }

  close(): void {
    for (const kernel of this.#kernels) kernel.dispose();
  }
}

const TYPES: Readonly<Record<ArgumentKind, string>> = {
  array: "MemoryOptimizedNumberTexture",
  table: "MemoryOptimizedNumberTexture",
  integer: "Integer",
  float: "Float",
};
