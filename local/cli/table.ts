/** Columns of text, padded; numbers to the right. @param rows cells, the first row being the head */
export function table(rows: readonly (readonly string[])[], rightFrom = 1): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < rightFrom ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
