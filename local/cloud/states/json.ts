/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** The most that AWS lets a state's input, output or variable hold: 256 KiB of UTF-8 JSON. */
export const maxPayloadBytes = 262_144;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bytes of the value as UTF-8 JSON. */
export function payloadBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Parses JSON text. @throws {SyntaxError} if it is none */
export function parseJson(text: string): Json {
  return JSON.parse(text);
}

/**
 * A plain JSON copy of what an expression gave: JSONata's sequences become arrays, absent members vanish.
 * @returns undefined if the value itself is absent
 * @throws {TypeError} on a function, a number that JSON cannot hold, or nesting deeper than 500
 */
export function toJson(value: unknown, depth = 0): Json | undefined {
  if (depth > 500) throw new TypeError('the value is nested deeper than 500 levels');
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is not a JSON number`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1) ?? null);
  if (isObject(value) && !('_jsonata_lambda' in value) && !('_jsonata_function' in value)) {
    const entries: [string, Json][] = [];
    for (const [key, member] of Object.entries(value)) {
      const json = toJson(member, depth + 1);
      if (json !== undefined) entries.push([key, json]);
    }
    // fromEntries defines own properties, so that a key of "__proto__" stays data
    return Object.fromEntries(entries);
  }
  throw new TypeError(`a ${typeof value === 'object' ? 'function' : typeof value} is not JSON`);
}
