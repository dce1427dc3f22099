/** What a GET's answer says before its body. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentLength: number;
}

/**
 * Reads the head of a plain successful answer to a GET: 200 or 206 with a length (RFC 9112). Whoever gets undefined, for
 * all else that HTTP allows, asks again with a client that knows all of HTTP.
 * @param text up to and with the empty line
 */
export function parseResponseHead(text: string): ResponseHead | undefined {
  const [statusLine, ...lines] = text.slice(0, -4).split('\r\n');
  const status = /^HTTP\/1\.1 (200|206)(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (key === undefined || key === 'transfer-encoding' || Object.hasOwn(headers, key)) return undefined;
    headers[key] = value;
  }
  const length = headers['content-length'];
  if (length === undefined || !/^\d{1,15}$/.test(length)) return undefined;
  return { status: Number(status), headers, contentLength: Number(length) };
}
