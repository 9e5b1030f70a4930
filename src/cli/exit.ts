/** @file The exit codes of `sluice`. */

export const EXIT = {
  done: 0,
  /** Bad data, or a read or write that failed. */
  failed: 1,
  /** An unknown option or op, or a value that cannot be. */
  usage: 2,
  /** 128 + SIGINT. SIGTERM and SIGHUP, which ask for the same, count the same. */
  interrupted: 130,
  /**
   * 128 + SIGPIPE. The reader of stdout went away (`| head`), so the output is not whole, and 0 would say that it is:
   * in `sluice apply … - > >(upload)` nobody else would tell. It is what the shell reports for `cat`, `gzip` or any
   * filter that dies of SIGPIPE, so scripts with `pipefail` treat all of them alike. (Node ignores the signal and
   * gets the error EPIPE instead, hence a code of our own.)
   */
  brokenPipe: 141,
} as const;
