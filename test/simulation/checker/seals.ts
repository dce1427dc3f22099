import { createHash, type KeyObject, verify } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Evidence, VersionItem } from './evidence.ts';

/**
 * Every seal stands, by node:crypto alone: it is signed with the federation's key, says what the record and the stored bytes say, and
 * names the seal before. What has no seal is at the end of the chain, where no step that came through should have sealed it.
 */
export function checkSeals(evidence: Evidence, key: KeyObject): string[] {
  const { versions, journal } = evidence;
  const found: string[] = [];
  for (const [i, record] of versions.entries()) {
    const taken = journal.seals.filter(({ version }) => version === record.version);
    // docs/decisions/0011: the step of a later version seals what its own did not.
    if (record.seal === undefined) {
      if (journal.sealed.has(record.version))
        found.push(`version ${i} has no seal, and the step that seals came through`);
    } else if (i > 0 && versions[i - 1].seal === undefined) found.push(`version ${i} is sealed, the one before is not`);
    else found.push(...checkSeal(evidence, record, versions[i - 1]?.seal, key));
    if (taken.length > 1) found.push(`version ${record.version} was sealed ${taken.length} times`);
    if (taken[0] && taken[0].seal !== record.seal) found.push(`version ${record.version} has another seal than it got`);
  }
  return found;
}

function checkSeal({ models }: Evidence, record: VersionItem, before: string | undefined, key: KeyObject): string[] {
  const { version, origin, publishedAtMs, updates, examples, evaluation, manifestKey, model, seal = '' } = record;
  const [header, payload, signature, ...rest] = seal.split('.');
  const signed = Buffer.from(`${header}.${payload}`);
  const isSigned = verify(
    'sha256',
    signed,
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature ?? '', 'base64url'),
  );
  if (rest.length > 0 || !isSigned) return [`version ${version}: the signature of its seal does not stand`];
  const fileHash = (path: string) => hashOf(models.get(path) ?? '');
  const state = Object.entries(model.stateKeys ?? {}).map(([name, path]) => [name, fileHash(path)]);
  const expected = {
    ...{ task: 'sim', version, origin, publishedAtMs, updates, examples, evaluation },
    ...{ manifest: manifestKey && fileHash(manifestKey), model: fileHash(model.key), state: Object.fromEntries(state) },
    previous: before && hashOf(before),
  };
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const names = new Set([...Object.keys(said), ...Object.keys(expected)]);
  const wrong = [...names].filter((name) => !isDeepStrictEqual(said[name], Reflect.get(expected, name)));
  const { alg, typ } = JSON.parse(Buffer.from(header, 'base64url').toString());
  if (alg !== 'ES256' || typ !== 'tributary-version+jwt') wrong.push('header');
  return wrong.map((name) => `version ${version}: its seal says ${name} ${JSON.stringify(said[name])}`);
}

function hashOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
