/** One query parameter, percent-decoded; a parameter without `=` has the value ''. */
export type QueryEntry = readonly [name: string, value: string];

/** Percent-encodes all but RFC 3986's unreserved characters, as SigV4's UriEncode does. */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @throws {URIError} on a broken escape or one that is not UTF-8 */
export function percentDecode(text: string): string {
  return decodeURIComponent(text);
}

/** Splits a query string as received; `+` means a space, as in HTML forms. @throws {URIError} as `percentDecode` */
export function parseQuery(query: string): QueryEntry[] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
      return [percentDecode(name.replaceAll('+', ' ')), percentDecode(value.replaceAll('+', ' '))];
    });
}
