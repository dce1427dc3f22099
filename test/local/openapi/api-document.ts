import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApi } from '../../../local/openapi/document.ts';
import { type RouteName, routes } from '../../../shared/wire/routes.ts';

interface Response {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}
export interface Operation {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: Response;
  readonly responses: Readonly<Record<string, Response>>;
}
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** The document as whoever reads the file has it. */
export const document: ApiDocument = JSON.parse(JSON.stringify(openApi()));

const id = 'urn:tributary:openapi';

export function newAjv(options: object = {}): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false, ...options });
  // Its types forget that a CommonJS module has its function as its default.
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  return ajv;
}

/** Answers may come to say more, but a field that they say today and the document does not is a gap in the document. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, closed(each)]);
  const isOpen = 'properties' in value && !('additionalProperties' in value) && 'type' in value;
  return Object.fromEntries(isOpen ? [...entries, ['additionalProperties', false]] : entries);
}

const ajv = newAjv({ strict: false });
ajv.addSchema({ ...document, components: closed(document.components) }, id, false);

/** What the document has against an answer; undefined if it is as promised. */
export function answerFault(
  route: RouteName,
  { status, type, body }: { readonly status: number; readonly type: string | null; readonly body: unknown },
): string | undefined {
  const [method, path] = routes[route].split(' ');
  const response = document.paths[path][method.toLowerCase()].responses[status];
  if (!response) return `${route}: the document knows no status ${status}`;
  const media = (type ?? '').split(';')[0];
  if (!response.content[media]) return `${route} ${status}: the document knows no ${media}`;
  const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', media, 'schema'];
  const fragment = pointer
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`${id}#/${fragment}`);
  if (!validate) return `${route} ${status}: no schema at ${fragment}`;
  return validate(body) ? undefined : `${route} ${status}: ${ajv.errorsText(validate.errors)}`;
}
