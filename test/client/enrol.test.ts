import { describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { enrol } from '../../client/typescript/enrol.ts';
import { type KeyStore, memoryKeys } from '../../client/typescript/key-store.ts';
import { generateClientKey } from '../../shared/wire/identity/keys.ts';
import { ann } from './ann.ts';
import { FakeFederation } from './fake-federation.ts';
import { ticketId } from './fake-server.ts';

const endpoint = 'http://api.test';
const noPause = { now: () => 0, random: () => 0, sleep: async () => {} };
const code = 'c'.repeat(43);

function federationWith(client = 'ann') {
  const federation = new FakeFederation();
  federation.codes.set(code, { client });
  const { transport } = federation;
  const clock = () => federation.nowMs;
  return { federation, options: { endpoint, code, client: 'ann', transport, clock, surroundings: noPause } };
}

/** A store that tells what it was asked to do. */
function watched(): { keys: KeyStore; log: string[] } {
  const log: string[] = [];
  const inner = memoryKeys();
  const keys: KeyStore = {
    get: inner.get,
    set: (slot, key) => {
      log.push(`set ${slot}`);
      return inner.set(slot, key);
    },
    delete: (slot) => {
      log.push(`delete ${slot}`);
      return inner.delete(slot);
    },
  };
  return { keys, log };
}

describe('enrolling', () => {
  test('registers a new key, which signs from then on', async () => {
    const { federation, options } = federationWith();
    const identity = await enrol(options);
    expect(federation.registered).toEqual(identity.publicKey);
    const client = new TributaryClient({ ...options, identity });
    await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
  });

  test('keeps the key before it sends it', async () => {
    const { federation, options } = federationWith();
    const { keys, log } = watched();
    const transport: typeof options.transport = (request) => {
      log.push('send');
      return federation.transport(request);
    };
    await enrol({ ...options, keys, transport });
    expect(log).toEqual(['set next', 'send', 'set current', 'delete next']);
  });

  test('again after every answer was lost brings the same key, and is taken', async () => {
    const { federation, options } = federationWith();
    const keys = memoryKeys();
    federation.lose = 6;
    await expect(enrol({ ...options, keys })).rejects.toMatchObject({ code: 'network' });
    expect(await keys.get('current')).toBeUndefined();
    const key = await enrol({ ...options, keys });
    expect(new Set(federation.taken.map(({ kid }) => kid))).toEqual(new Set([key.kid]));
    expect(new Set(federation.taken.map(({ jti }) => jti)).size).toBe(7);
    expect((await keys.get('current'))?.kid).toBe(key.kid);
    expect(await keys.get('next')).toBeUndefined();
  });

  test('brings a key of the caller where one is given', async () => {
    const { options } = federationWith();
    const key = await generateClientKey('ann', false);
    expect(await enrol({ ...options, key })).toBe(key);
    await expect(enrol({ ...options, key: await generateClientKey('bob') })).rejects.toThrow(RangeError);
  });

  test('replaces the key that was there, and not by the same one', async () => {
    const { options } = federationWith();
    const keys = memoryKeys();
    await keys.set('current', ann);
    expect((await enrol({ ...options, keys })).kid).not.toBe(ann.kid);
  });

  test.each([
    ['a code of another client', 'bob', code, 'invitation-unknown'],
    ['a code that nobody made', 'ann', 'd'.repeat(43), 'invitation-unknown'],
  ])('with %s fails with the code of the API', async (_, invited, given, expected) => {
    const { options } = federationWith(invited);
    await expect(enrol({ ...options, code: given })).rejects.toMatchObject({ code: expected });
  });

  test('with a code that another key has used fails', async () => {
    const { options } = federationWith();
    await enrol(options);
    await expect(enrol(options)).rejects.toMatchObject({ code: 'invitation-used' });
  });

  test('with a clock that is off corrects it', async () => {
    const { federation, options } = federationWith();
    await enrol({ ...options, clock: () => federation.nowMs - 7_200_000 });
    expect(federation.taken).toHaveLength(1);
  });
});

describe('rotating the key', () => {
  async function enrolled() {
    const { federation, options } = federationWith();
    const keys = memoryKeys();
    const identity = await enrol({ ...options, keys });
    const clientWith = async () =>
      new TributaryClient({ ...options, keys, identity: (await keys.get('current')) ?? ann });
    return { federation, keys, identity, clientWith };
  }

  test('registers a new key, signs with it from then on, and keeps it alone', async () => {
    const { federation, keys, identity, clientWith } = await enrolled();
    const client = await clientWith();
    const next = await client.rotateKey();
    expect(next.kid).not.toBe(identity.kid);
    expect(client.identity.kid).toBe(next.kid);
    expect(federation.registered).toEqual(next.publicKey);
    expect([(await keys.get('current'))?.kid, await keys.get('next')]).toEqual([next.kid, undefined]);
    await expect(client.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
  });

  test('finds out that it had happened when an answer was lost', async () => {
    const { federation, identity, clientWith } = await enrolled();
    const client = await clientWith();
    federation.lose = 1;
    const next = await client.rotateKey();
    expect(next.kid).not.toBe(identity.kid);
    expect(federation.registered).toEqual(next.publicKey);
    expect(client.identity.kid).toBe(next.kid);
  });

  test.each(['before', 'after'])(
    'a process that died %s the key was registered leaves one that finds the right key',
    async (when) => {
      const { federation, keys, identity, clientWith } = await enrolled();
      if (when === 'before') {
        const key = await generateClientKey('ann');
        await keys.set('next', key);
      } else {
        federation.lose = 6;
        await expect((await clientWith()).rotateKey()).rejects.toMatchObject({ code: 'network' });
      }
      const waiting = (await keys.get('next'))?.kid;
      const restarted = await clientWith();
      expect(restarted.identity.kid).toBe(identity.kid);
      await expect(restarted.ticketStatus(ticketId)).rejects.toMatchObject({ code: 'ticket-unknown' });
      expect(restarted.identity.kid).toBe(when === 'before' ? identity.kid : waiting);
      expect((await keys.get('current'))?.kid).toBe(restarted.identity.kid);
    },
  );

  test('is refused to a client that could not keep the new key', async () => {
    const { options } = federationWith();
    await expect(new TributaryClient({ ...options, identity: ann }).rotateKey()).rejects.toThrow(RangeError);
  });

  test('keeps a key that is not extractable so', async () => {
    const { federation, options } = federationWith();
    const keys = memoryKeys();
    const identity = await enrol({ ...options, keys, key: await generateClientKey('ann', false) });
    const next = await new TributaryClient({ ...options, keys, identity }).rotateKey();
    expect(next.privateKey.extractable).toBe(false);
    expect(federation.registered).toEqual(next.publicKey);
  });
});
