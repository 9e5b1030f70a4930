/** @file What the demo prints: headings, command lines, remarks. Colour only where the terminal has it. */
import { styleText } from "node:util";

const { stdout } = process;
/** Whether cells can be painted; NO_COLOR says no. */
export const colours: boolean = stdout.isTTY === true && stdout.hasColors(256);

type Format = Parameters<typeof styleText>[0];
const paint = (format: Format, text: string): string => (colours ? styleText(format, text) : text);

export const say = {
  heading(text: string): void {
    stdout.write(`\n${paint("bold", text)}\n`);
  },
  command(words: readonly string[]): void {
    const line = words.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`)).join(" ");
    stdout.write(`\n${paint("dim", "$")} ${paint("cyan", line)}\n`);
  },
  line(text: string): void {
    stdout.write(`${text}\n`);
  },
  remark(text: string): void {
    stdout.write(`${paint("dim", text)}\n`);
  },
  verified(text: string): void {
    stdout.write(`${paint("green", "verified:")} ${text}\n`);
  },
};

export const count = (number: number): string => number.toLocaleString("en-US");

/** `1.00 GiB`, `29.9 MiB`: three digits. */
export function size(bytes: number): string {
  const unit = bytes >= 2 ** 30 ? 2 ** 30 : 2 ** 20;
  return `${(bytes / unit).toPrecision(3)} ${unit === 2 ** 30 ? "GiB" : "MiB"}`;
}
