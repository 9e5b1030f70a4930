/** @file Sizes, counts, rates and durations as people read them. */

const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const COUNT_UNITS = ["", " thousand", " million", " billion", " trillion"] as const;

/** `512 B`, `9.77 KiB`, `31.4 MiB`, `4.00 GiB`: three digits, binary units. */
export function formatSize(bytes: number): string {
  const [value, unit] = scale(bytes, 1024, SIZE_UNITS.length - 1);
  return unit === 0 ? `${Math.round(bytes)} B` : `${threeDigits(value)} ${SIZE_UNITS[unit]}`;
}

/** `1.21 / 4.00 GiB`: both in the unit of the total. */
export function formatSizeOf(done: number, total: number): string {
  const [value, unit] = scale(total, 1024, SIZE_UNITS.length - 1);
  if (unit === 0) return `${done} / ${total} B`;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${(done / 1024 ** unit).toFixed(digits)} / ${value.toFixed(digits)} ${SIZE_UNITS[unit]}`;
}

/** `5.31 GiB/s`; an unknown rate (no time has passed) is an empty string. */
export function formatRate(bytesPerSecond: number): string {
  return Number.isFinite(bytesPerSecond) && bytesPerSecond >= 0 ? `${formatSize(bytesPerSecond)}/s` : "";
}

/** `1,048,576`. Not through Intl, whose data costs milliseconds to load. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `7,840`, `1.07 billion`: exact while it is short, three digits above that. */
export function formatRoundCount(count: number): string {
  if (count < 1e6) return formatCount(count);
  const [value, unit] = scale(count, 1000, COUNT_UNITS.length - 1);
  return `${threeDigits(value)}${COUNT_UNITS[unit]}`;
}

/** `3 ms`, `0.41 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** `0:07`, `12:05`, `1:02:03`: of steady width, for a line that is drawn again and again. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `80.9%`; what rounds to 0 or 100 but is not says so: `<0.1%`, `>99.9%`. */
export function formatShare(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0%";
  if (part === whole) return "100%";
  const percent = (100 * part) / whole;
  if (percent < 0.1) return "<0.1%";
  if (percent > 99.9) return ">99.9%";
  return `${percent.toFixed(1)}%`;
}

/** Six digits: enough to know a value by, and few enough to compare down a column. */
export function formatValue(value: number): string {
  return Object.is(value, -0) ? "-0" : String(Number(value.toPrecision(6)));
}

/** `1 row`, `2 rows`, `3 batches`. */
export function plural(count: number, noun: string): string {
  const ending = count === 1 ? "" : noun.endsWith("tch") ? "es" : "s";
  return `${formatCount(count)} ${noun}${ending}`;
}

/** The value in the largest unit in which it is at least 1, and that unit's index; 999.6 of one unit is 1.00 of the next. */
function scale(value: number, base: number, last: number): [number, number] {
  let unit = 0;
  while (unit < last && value >= base - 0.5) {
    value /= base;
    unit++;
  }
  return [value, unit];
}

const threeDigits = (value: number): string => value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);

const two = (value: number): string => String(value).padStart(2, "0");
