import { describe, expect, test } from 'vitest';
import { matchRoute } from '../../../local/cloud/http-api/route.ts';
import type { RoutePlan } from '../../../local/cloud/template/plan.ts';

const routes = (...keys: string[]): RoutePlan[] =>
  keys.map((routeKey) => ({ routeKey, authorization: 'NONE', functionArn: 'f', timeoutMs: 1 }));

// The examples of "Routing API requests" in the API Gateway developer guide.
const guide = routes('GET /pets/dog/1', 'GET /pets/dog/{id}', 'GET /pets/{proxy+}', 'ANY /{proxy+}', '$default');

describe('matchRoute', () => {
  test.for([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/test/5', 'ANY /{proxy+}', { proxy: 'test/5' }],
  ] as const)('%s %s goes to %s', ([method, path, routeKey, pathParameters]) => {
    expect(matchRoute(guide, method, path)).toMatchObject({ route: { routeKey } });
    expect(matchRoute(guide, method, path)?.pathParameters).toEqual(pathParameters);
  });

  test('prefers a literal further left, and a method to ANY', () => {
    const some = routes('ANY /a/{x}', 'GET /a/{x}', 'GET /{y}/b', 'GET /a/b');
    expect(matchRoute(some, 'GET', '/a/b')?.route.routeKey).toBe('GET /a/b');
    expect(matchRoute(some, 'GET', '/a/c')?.route.routeKey).toBe('GET /a/{x}');
    expect(matchRoute(some, 'PUT', '/a/c')?.route.routeKey).toBe('ANY /a/{x}');
    expect(matchRoute(some, 'GET', '/c/b')?.route.routeKey).toBe('GET /{y}/b');
  });

  test('falls to $default, or to nothing', () => {
    expect(matchRoute(routes('GET /a', '$default'), 'PUT', '/a')?.route.routeKey).toBe('$default');
    expect(matchRoute(routes('GET /a'), 'PUT', '/a')).toBeUndefined();
    expect(matchRoute(routes('GET /a'), 'GET', '/a/b')).toBeUndefined();
    expect(matchRoute(routes('GET /a/{b}'), 'GET', '/a/')).toBeUndefined();
  });

  test('decodes path parameters, and leaves a stray percent sign as it came', () => {
    expect(matchRoute(routes('GET /a/{b}'), 'GET', '/a/x%20y%2Fz')?.pathParameters).toEqual({ b: 'x y/z' });
    expect(matchRoute(routes('GET /a/{b}'), 'GET', '/a/50%')?.pathParameters).toEqual({ b: '50%' });
  });
});
