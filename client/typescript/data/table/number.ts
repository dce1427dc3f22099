const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const commaDecimal = /^[+-]?\d+,\d+$/;
const largest = 1e30;

/** The number that a cell spells out, or undefined. Beyond 1e30 it is taken for a mistake, so that squares stay finite. */
export function numberOf(cell: string, decimalComma: boolean): number | undefined {
  const text = decimalComma && commaDecimal.test(cell) ? cell.replace(',', '.') : cell;
  if (!decimal.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) <= largest ? value : undefined;
}
