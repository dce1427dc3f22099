/** Numbers as people read them. */

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Dollars with two significant digits: the amounts are small. */
export function dollarsText(dollars: number): string {
  if (dollars === 0) return '$0';
  return dollars >= 1
    ? `$${dollars.toFixed(2)}`
    : `$${dollars.toFixed(Math.min(9, 1 - Math.floor(Math.log10(dollars))))}`;
}

export function percentText(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** Eight heights over the values' own range, the newest to the right. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const low = Math.min(...shown);
  const span = Math.max(...shown) - low;
  return shown.map((value) => '▁▂▃▄▅▆▇█'[span > 0 ? Math.min(7, Math.floor((8 * (value - low)) / span)) : 3]).join('');
}

export function bar(part: number, whole: number, width: number): string {
  const filled = Math.round(width * Math.min(1, whole > 0 ? part / whole : 0));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
