/** @file The types of what we use of headless-gl: WebGL 1 (https://registry.khronos.org/webgl/specs/latest/1.0/). */

/** Opaque. */
export type GlTexture = object;

export interface Gl {
  getExtension(name: string): object | null;
  getParameter(name: number): unknown;
  getError(): number;
  finish(): void;
  createTexture(): GlTexture;
  deleteTexture(texture: GlTexture): void;
  activeTexture(unit: number): void;
  bindTexture(target: number, texture: GlTexture | null): void;
  texParameteri(target: number, name: number, value: number): void;
  texImage2D(
    ...of: [
      ...[target: number, level: number, internal: number, width: number, height: number],
      ...[border: number, format: number, type: number, values: Float32Array | null],
    ]
  ): void;
  createFramebuffer(): object;
  bindFramebuffer(target: number, framebuffer: object | null): void;
  framebufferTexture2D(
    target: number,
    attachment: number,
    kind: number,
    texture: GlTexture,
    level: number,
  ): void;
  readPixels(
    ...of: [
      ...[x: number, y: number, width: number, height: number],
      ...[format: number, type: number, target: Float32Array],
    ]
  ): void;
  createBuffer(): object;
  bindBuffer(target: number, buffer: object | null): void;
  bufferData(target: number, values: Float32Array, usage: number): void;
  getAttribLocation(program: object, name: string): number;
  enableVertexAttribArray(index: number): void;
  vertexAttribPointer(
    ...of: [
      ...[index: number, size: number, type: number],
      ...[normalized: boolean, stride: number, offset: number],
    ]
  ): void;
  readonly VERSION: number;
  readonly MAX_TEXTURE_SIZE: number;
  readonly NO_ERROR: number;
  readonly OUT_OF_MEMORY: number;
  readonly TEXTURE15: number;
  readonly TEXTURE_2D: number;
  readonly TEXTURE_WRAP_S: number;
  readonly TEXTURE_WRAP_T: number;
  readonly CLAMP_TO_EDGE: number;
  readonly TEXTURE_MIN_FILTER: number;
  readonly TEXTURE_MAG_FILTER: number;
  readonly NEAREST: number;
  readonly RGBA: number;
  readonly FLOAT: number;
  readonly FRAMEBUFFER: number;
  readonly COLOR_ATTACHMENT0: number;
  readonly ARRAY_BUFFER: number;
  readonly STATIC_DRAW: number;
}
