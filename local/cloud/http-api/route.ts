import type { RoutePlan } from '../template/plan.ts';

export interface RouteMatch {
  readonly route: RoutePlan;
  /** Decoded values of `{name}` and `{name+}`; undefined if the route has none. */
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

/**
 * Picks the route as API Gateway does: full match of the path, then the greedy variable, then `$default`; a method before ANY; and of two
 * full matches the one with literal segments further left. "Routing API requests", API Gateway developer guide.
 * @param path raw path without the stage
 */
export function matchRoute(routes: readonly RoutePlan[], method: string, path: string): RouteMatch | undefined {
  const segments = path.split('/').slice(1);
  let best: (RouteMatch & { readonly rank: string }) | undefined;
  for (const route of routes) {
    const found = match(route, method, segments);
    if (found && (!best || found.rank < best.rank)) best = found;
  }
  return best && { route: best.route, pathParameters: best.pathParameters };
}

/** The rank orders by segment, literal `0`, variable `1`, greedy `2`, and by method last; `$default` comes after all. */
function match(route: RoutePlan, method: string, segments: readonly string[]) {
  if (route.routeKey === '$default') return { route, pathParameters: undefined, rank: '9' };
  const [routeMethod, template] = route.routeKey.split(' ');
  if (routeMethod !== 'ANY' && routeMethod !== method) return undefined;
  const parts = template.split('/').slice(1);
  const pathParameters: Record<string, string> = {};
  let kinds = '';
  for (const [i, part] of parts.entries()) {
    const variable = /^\{([^}+]+)(\+?)\}$/.exec(part);
    if (variable?.[2] === '+') {
      if (segments.length <= i) return undefined;
      pathParameters[variable[1]] = decode(segments.slice(i).join('/'));
      return { route, pathParameters, rank: `2${kinds}2${routeMethod === 'ANY' ? 1 : 0}` };
    }
    if (i >= segments.length) return undefined;
    if (variable) {
      if (segments[i] === '') return undefined;
      pathParameters[variable[1]] = decode(segments[i]);
      kinds += '1';
    } else {
      if (part !== segments[i]) return undefined;
      kinds += '0';
    }
  }
  if (parts.length !== segments.length) return undefined;
  const named = Object.keys(pathParameters).length > 0;
  return {
    route,
    pathParameters: named ? pathParameters : undefined,
    rank: `1${kinds}${routeMethod === 'ANY' ? 1 : 0}`,
  };
}

/** A stray `%` is no reason to fail: the text stays as it came. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
