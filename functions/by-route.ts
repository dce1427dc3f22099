import { FlError } from '../shared/core/errors.ts';
import type { ApiReply, ApiRequest } from './http.ts';

/** Answers each route with its own function, status 200. @throws {FlError} `route-unknown` */
export function byRoute(answers: Readonly<Record<string, (request: ApiRequest) => Promise<unknown>>>) {
  return async (request: ApiRequest): Promise<ApiReply> => {
    const answer = Object.hasOwn(answers, request.routeKey) && answers[request.routeKey];
    if (!answer) throw new FlError('route-unknown', `no route ${request.routeKey}`);
    return { status: 200, body: await answer(request) };
  };
}
