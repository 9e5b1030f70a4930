/**
 * @file `npm run demo`: three real files through `sluice`, each result verified against plain JavaScript; then a network is
 * trained on one of them. Exits with 0 only if every byte is right, and the network good.
 */
import { showBig } from "./big.ts";
import { showDigits } from "./digits.ts";
import { showFlights } from "./flights.ts";
import { say } from "./say.ts";
import { showTraining } from "./training.ts";
import { openWorkspace } from "./workspace.ts";

const start = performance.now();
const directory = openWorkspace();
try {
  await showDigits(directory);
  await showFlights(directory);
  await showBig(directory);
  await showTraining(directory);
  say.line(`\nDone in ${((performance.now() - start) / 1000).toFixed(0)} s; nothing is left behind.`);
} catch (error) {
  process.exitCode = 1;
  say.line(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
}
