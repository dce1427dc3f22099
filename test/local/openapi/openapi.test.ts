import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { problemStatuses } from '../../../shared/wire/problem.ts';
import { routes } from '../../../shared/wire/routes.ts';
import { synthesize, type Template } from '../../infra/synthesize.ts';
import { runHere } from '../cli/recording-console.ts';
import { answerFault, document, newAjv, type Operation } from './api-document.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const committed = readFileSync(join(root, 'docs', 'openapi.json'), 'utf8');

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
);

describe('docs/openapi.json', () => {
  test('is what `npx tributary openapi` writes now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-openapi-'));
    const out = join(folder, 'openapi.json');
    expect(await runHere(['openapi', '--out', out])).toMatchObject({ code: 0, out: `wrote ${out}` });
    expect(readFileSync(out, 'utf8')).toBe(committed);
    expect((await runHere(['openapi'])).out).toBe(committed.trimEnd());
    rmSync(folder, { recursive: true });
  });

  test('is OpenAPI 3.1 by the schema of the OpenAPI Initiative', () => {
    const text = readFileSync(join(root, 'test', 'vectors', 'openapi', 'oas-3.1-schema.json'), 'utf8');
    // Ajv resolves a dynamic reference to the whole document; the schema's own default for it is this one.
    const schema = JSON.parse(text.replaceAll('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"'));
    // A server's URL with variables in it is no URI reference.
    const ajv = newAjv({ strict: false, validateFormats: false });
    expect(ajv.validate(schema, JSON.parse(committed)), ajv.errorsText().slice(0, 2_000)).toBe(true);
    for (const wrong of [{ openapi: '3.0.0' }, { paths: { 'no-slash': {} } }, { component: {} }]) {
      expect(ajv.validate(schema, { ...JSON.parse(committed), ...wrong }), Object.keys(wrong).join()).toBe(false);
    }
  });

  test('has schemas of JSON Schema 2020-12 alone, each of which says something', () => {
    const ajv = newAjv({ strict: true });
    ajv.addVocabulary(['openapi', 'info', 'servers', 'tags', 'paths', 'components']);
    ajv.addSchema(JSON.parse(committed), 'doc');
    for (const name of Object.keys(document.components.schemas)) {
      expect(ajv.compile({ $ref: `doc#/components/schemas/${name}` })).toBeTypeOf('function');
    }
    const empty: string[] = [];
    const visit = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      if (Object.keys(value).length === 0 && !path.endsWith('/default')) empty.push(path);
      for (const [name, each] of Object.entries(value)) visit(each, `${path}/${name}`);
    };
    visit(document.components.schemas, '');
    expect(empty.filter((path) => !path.endsWith('/default/0'))).toEqual([]);
  });

  test('names nothing that is not there', () => {
    const named = [...committed.matchAll(/"\$ref": "#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => [
      kind,
      name,
    ]);
    const { components } = JSON.parse(committed);
    for (const [kind, name] of named) expect(components[kind], `${kind}/${name}`).toHaveProperty(name);
    const used = new Set(named.map(([, name]) => name));
    expect(Object.keys(components.schemas).filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('the document and the template', () => {
  let template: Template;
  beforeAll(() => {
    template = synthesize().template();
  }, 120_000);

  test('have the same routes, behind the same doors', () => {
    const doors: Record<string, string> = { NONE: 'proof', CUSTOM: 'proof', AWS_IAM: 'iam' };
    const synthesized = Object.values(template.Resources)
      .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
      .map(({ Properties }) => `${Properties?.RouteKey} ${doors[String(Properties?.AuthorizationType)]}`);
    const documented = operations.map(({ route, operation }) => `${route} ${Object.keys(operation.security[0])}`);
    expect(documented.sort()).toEqual(synthesized.sort());
  });
});

describe('every operation', () => {
  test('has the name of its route, and says what each of its path parameters is', () => {
    const named = operations.map(({ route, operation }) => [operation.operationId, route]);
    expect(Object.fromEntries(named)).toEqual(routes);
    for (const { route, operation } of operations) {
      const inPath = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      expect(inPath, route).toEqual([...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  test('gives its codes with the statuses that functions answer with, and every code belongs to some route', () => {
    const found = new Set<string>();
    for (const { route, operation } of operations) {
      for (const [status, code] of codesOf(operation)) {
        found.add(code);
        expect(status, `${route} ${code}`).toBe({ ...problemStatuses, internal: 500 }[code]);
      }
    }
    // API Gateway itself knows no such route.
    expect(Object.keys(problemStatuses).filter((code) => !found.has(code))).toEqual(['route-unknown']);
  });
});

function codesOf({ responses }: Operation): [number, string][] {
  return Object.entries(responses).flatMap(([status, { content }]) => {
    const schema = content['application/problem+json']?.schema ?? {};
    const codes = 'properties' in schema ? (schema.properties as { code: { enum: string[] } }).code.enum : [];
    return codes.map((code): [number, string] => [Number(status), code]);
  });
}

describe('an answer', () => {
  const status = { ticket: 't'.repeat(43), task: 'digits', state: 'issued', baseVersion: 0 };
  const answer = { status: 200, type: 'application/json', body: status };

  test.each<[string, object, RegExp | undefined]>([
    ['as promised', {}, undefined],
    ['that says more', { body: { ...status, mood: 'fine' } }, /additional properties/],
    ['in a state that there is not', { body: { ...status, state: 'lost' } }, /allowed values/],
    ['of another status', { status: 202 }, /no status 202/],
    ['of another type', { type: 'text/html' }, /no text\/html/],
    [
      'with a problem of another route',
      { status: 404, type: 'application/problem+json', body: problem(404, 'task-unknown') },
      /allowed values/,
    ],
    [
      'with its own problem',
      { status: 404, type: 'application/problem+json', body: problem(404, 'ticket-unknown') },
      undefined,
    ],
  ])('%s is judged', (_, change, fault) => {
    const found = answerFault('ticketStatus', { ...answer, ...change });
    if (fault) expect(found).toMatch(fault);
    else expect(found).toBeUndefined();
  });
});

function problem(status: number, code: string) {
  return { type: `urn:tributary:problem:${code}`, title: 't', status, detail: 'd', code };
}
