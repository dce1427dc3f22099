const longest = 100;

/** A value from outside as an error shows it: one level of JSON, about 100 characters at most, whatever it is. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.slice(0, 8).map((item) => (isNested(item) ? '…' : shown(item)));
    return cut(`[${[...items, ...(value.length > items.length ? ['…'] : [])].join(',')}]`);
  }
  if (isNested(value)) return 'an object';
  if (typeof value !== 'string') return String(value);
  // Escaped by JSON: no control characters and no halves of surrogate pairs.
  return cut(JSON.stringify(value.slice(0, longest + 1)));
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
