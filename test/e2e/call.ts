import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import { proveRequest } from '../../shared/wire/identity/sign.ts';

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it says what it is
  readonly body: any;
  readonly date: string | null;
}

/** One request as an HTTP client would make it. @param body sent as it is if it is text, otherwise as JSON */
export async function call(
  endpoint: string,
  method: string,
  path: string,
  { body, authorization }: { readonly body?: unknown; readonly authorization?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${endpoint}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: textOf(body),
  });
  const text = await response.text();
  const { headers, status } = response;
  return { status, type: headers.get('content-type'), date: headers.get('date'), body: text && JSON.parse(text) };
}

/** The same with a proof by `key`. */
export async function signedCall(
  endpoint: string,
  key: ClientKey,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  return call(endpoint, method, path, { body, authorization: await proofOf(endpoint, key, method, path, body) });
}

export function proofOf(
  endpoint: string,
  key: ClientKey,
  method: string,
  path: string,
  body?: unknown,
  nowMs = Date.now(),
) {
  const { origin, pathname } = new URL(`${endpoint}${path}`);
  const bytes = new TextEncoder().encode(textOf(body));
  return proveRequest(key, { method, url: `${origin}${pathname}`, body: bytes }, nowMs);
}

function textOf(body: unknown): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}
