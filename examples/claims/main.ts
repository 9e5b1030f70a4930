/**
 * @file `npm run claims`: measures what is said of Leaky ReLU, one program after the other, and writes `docs/claims.md`.
 *
 *     npm run claims                 all
 *     npm run claims -- vanishing    some, by name; the page keeps what the others found before
 *     npm run claims -- --quick      a smoke run of each, which writes nothing
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CLAIMS, PAGE, readResults, renderPage } from "./support/page.ts";

const given = process.argv.slice(2);
const quick = given.includes("--quick");
const names = given.filter((argument) => argument !== "--quick");
const unknown = names.find((name) => !CLAIMS.includes(name));
if (unknown !== undefined) {
  console.error(`There is no claim ${unknown}. There are ${CLAIMS.join(", ")}.`);
  process.exit(2);
}

for (const name of names.length > 0 ? names : CLAIMS) {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    ["--import", "tsx", program, ...(quick ? ["--quick"] : [])],
    { stdio: "inherit" },
  );
  if (status !== 0) {
    console.error(`${name} failed; the page stays as it was.`);
    process.exit(1);
  }
}
if (!quick) {
  writeFileSync(PAGE, renderPage(readResults()));
  console.log("docs/claims.md is written.");
}
