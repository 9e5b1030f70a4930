/**
 * @file Takes the picture in the README: runs the demo in tmux, waits for the progress bar of its last act, and draws what the
 * terminal shows as an SVG.
 *
 *     npx tsx docs/images/capture.ts > docs/images/demo.svg
 */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { draw } from "./draw.ts";

const [COLUMNS, ROWS] = [80, 34];
const COMMAND = "npm run --silent demo";

const tmux = (...args: string[]): string =>
  execFileSync("tmux", ["-L", "sluice-capture", ...args], { encoding: "utf8" });

/** Screens on which a progress bar stands somewhere in its middle, from the run of the big file. */
async function film(): Promise<string[]> {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const size = ["-x", `${COLUMNS}`, "-y", `${ROWS}`];
  tmux("-f", "/dev/null", "new-session", "-d", ...size, "-c", cwd, "env LC_ALL=C.UTF-8 PS1='$ ' bash --norc");
  try {
    tmux("send-keys", COMMAND, "Enter");
    const screens: string[] = [];
    for (let i = 0; i < 6000; i++) {
      const screen = tmux("capture-pane", "-e", "-p");
      if (/GiB\b.*left/.test(screen)) screens.push(screen);
      if (/Done in|failed/.test(screen)) break;
      await sleep(10);
    }
    return screens;
  } finally {
    tmux("kill-server");
  }
}

const percentOf = (screen: string): number => Number(/(\d+)%.*left/.exec(screen)?.[1]);

const screens = await film();
const best = screens.sort((a, b) => Math.abs(percentOf(a) - 60) - Math.abs(percentOf(b) - 60))[0];
if (best === undefined) throw new Error("No progress bar was seen");
// From the last act but two on: what stands above is cut.
const lines = best.trimEnd().split("\n");
const first = lines.findIndex((line) => line.includes("sluice apply"));
process.stdout.write(draw(lines.slice(first), COLUMNS));
