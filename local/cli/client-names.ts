import { clientIdPattern } from '../../shared/core/names.ts';
import type { Federation } from '../data/federation.ts';

const longest = 64;

/** The federation with client names that the API accepts: a silo's file may be called anything. */
export function withClientNames(federation: Federation): Federation {
  const ids = clientNames(federation.clients.map(({ id }) => id));
  return { ...federation, clients: federation.clients.map((client, i) => ({ ...client, id: ids[i] })) };
}

/** Each name without accents, with `-` for what a client id may not hold, and numbered where two would be the same. */
export function clientNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name, i) => {
    const plain = name
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replaceAll(/^[^A-Za-z0-9]+|[-.]+$/g, '')
      .slice(0, longest - 6);
    const base = clientIdPattern.test(plain) ? plain : `client-${i + 1}`;
    let unique = base;
    for (let n = 2; taken.has(unique); n++) unique = `${base}-${n}`;
    taken.add(unique);
    return unique;
  });
}
