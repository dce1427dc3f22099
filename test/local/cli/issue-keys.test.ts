import { expect, test } from 'vitest';
import { type KeyStore, memoryKeys } from '../../../client/typescript/key-store.ts';
import { issueKeys } from '../../../local/cli/issue-keys.ts';
import { OperatorApi } from '../../../local/cli/operator-api.ts';
import type { InviteInput } from '../../../shared/wire/identity/api.ts';
import { generateClientKey } from '../../../shared/wire/identity/keys.ts';

/** An operator's API whose door nobody answers: what is asked of it is all that happens. */
class SilentApi extends OperatorApi {
  readonly asked: number[] = [];

  constructor() {
    super({
      url: 'http://127.0.0.1:1',
      region: 'x',
      credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    });
  }

  override async invite({ clients }: InviteInput) {
    this.asked.push(clients.length);
    return { invitations: [] };
  }
}

test('whoever has a key keeps it and is not invited; the others are, a hundred at a time', async () => {
  const names = Array.from({ length: 251 }, (_, i) => `device-${i}`);
  const kept = memoryKeys();
  const key = await generateClientKey('device-7');
  await kept.set('current', key);
  const keysOf = (name: string): KeyStore => (name === 'device-7' ? kept : memoryKeys());
  const api = new SilentApi();
  expect(await issueKeys(api, 'http://127.0.0.1:1', names, { keysOf })).toEqual([key]);
  expect(api.asked).toEqual([100, 100, 50]);
});
