/** @file What the functions of this folder are written with: named locals, address arithmetic, counting loops. */
import type { FunctionAssembler } from "../assembler.ts";

/** The parameters of a function by their names. */
export function numbered<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>;
}

/** New i32 locals by their names. */
export function localsOf<Name extends string>(
  code: FunctionAssembler,
  names: readonly Name[],
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, code.local("i32")])) as Record<Name, number>;
}

/** Adds the product of two locals to the number on the stack. */
export function addProduct(code: FunctionAssembler, a: number, b: number): void {
  code.get(a).get(b).op("i32.mul").op("i32.add");
}

/** Adds a multiple of a local to the number on the stack. */
export function addMultiple(code: FunctionAssembler, local: number, factor: number): void {
  code.get(local).i32(factor).op("i32.mul").op("i32.add");
}

/** Adds a number to a local. */
export function increase(code: FunctionAssembler, local: number, by: number): void {
  code.get(local).i32(by).op("i32.add").set(local);
}

/** Adds a local to a local. */
export function increaseBy(code: FunctionAssembler, local: number, by: number): void {
  code.get(local).get(by).op("i32.add").set(local);
}

/** Sets `local` to what is left from `begin` to `end`, or to `most` where more is left. `most` is put on the stack. */
export function setLeft(
  code: FunctionAssembler,
  local: number,
  begin: number,
  end: number,
  most: () => void,
): void {
  most();
  code.set(local);
  code.block();
  code.get(end).get(begin).op("i32.sub").get(local).op("i32.lt_u").op("i32.eqz").brIf(0);
  code.get(end).get(begin).op("i32.sub").set(local).end();
}

/** Runs `body` for `index` = 0, step, 2 step … while it is below the local `bound`. */
export function countUp(
  code: FunctionAssembler,
  index: number,
  bound: number,
  step: number,
  body: () => void,
): void {
  code.i32(0).set(index);
  code.block().loop();
  code.get(index).get(bound).op("i32.lt_u").op("i32.eqz").brIf(1);
  body();
  increase(code, index, step);
  code.br(0).end().end();
}

/** Runs one or the other, by whether the local is at least `least`. */
export function chooseByLeast(
  code: FunctionAssembler,
  local: number,
  least: number,
  reached: () => void,
  below: () => void,
): void {
  code.block().block();
  code.get(local).i32(least).op("i32.lt_u").brIf(0);
  reached();
  code.br(1).end();
  below();
  code.end();
}
