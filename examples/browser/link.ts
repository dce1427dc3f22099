import { clientIdPattern, taskIdPattern } from '../../shared/core/names.ts';

/** An invitation to a page: everything behind `#`, which no browser sends to a server. */
export interface JoinLink {
  /** The federation's API. */
  readonly endpoint: string;
  readonly task: string;
  /** The name that the code is for. */
  readonly client: string;
  /** One-time and secret; absent once it was read. */
  readonly code?: string;
  /** What the operator says the data is used for; every ticket says it again. */
  readonly purpose?: string;
  /** Where to compute; the page chooses by default. */
  readonly compute?: Compute;
}

export type Compute = 'webgpu' | 'wasm';

const codePattern = /^[A-Za-z0-9_-]{43}$/;
const mostPurposeCharacters = 2_000;

/** The link to a page at `page`. */
export function formatLink(page: string, link: JoinLink): string {
  const given = Object.entries(link).filter(([, value]) => value !== undefined);
  return `${page}#${new URLSearchParams(given)}`;
}

/** Reads what is behind `#`. @throws {RangeError} naming the part that is missing or wrong; undefined where there is nothing */
export function parseLink(fragment: string): JoinLink | undefined {
  const parts = new URLSearchParams(fragment.replace(/^#/, ''));
  if ([...parts].length === 0) return undefined;
  const part = (name: string, fits: (value: string) => boolean, expected: string) => {
    const value = parts.get(name) ?? '';
    if (!fits(value)) throw new RangeError(`${name}: expected ${expected}`);
    return value;
  };
  const optional = (name: string, fits: (value: string) => boolean, expected: string) =>
    parts.has(name) ? part(name, fits, expected) : undefined;
  const compute = optional('compute', isCompute, '"webgpu" or "wasm"');
  return {
    endpoint: part('endpoint', isHttp, 'an http or https address').replace(/\/+$/, ''),
    task: part('task', (value) => taskIdPattern.test(value), "a task's name"),
    client: part('client', (value) => clientIdPattern.test(value), "a client's name"),
    code: optional('code', (value) => codePattern.test(value), 'the 43 characters of an invitation'),
    purpose: optional('purpose', (value) => value.length <= mostPurposeCharacters, 'a sentence or two'),
    compute: compute !== undefined && isCompute(compute) ? compute : undefined,
  };
}

function isHttp(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value);
}

function isCompute(value: string): value is Compute {
  return value === 'webgpu' || value === 'wasm';
}
