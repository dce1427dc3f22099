import { usualAgent } from '../../../client/typescript/agent.ts';
import { enrol } from '../../../client/typescript/enrol.ts';
import { indexedDbKeys, indexedDbStore } from '../../../client/typescript/indexed-db.ts';
import { type KeyStore, nextKey } from '../../../client/typescript/key-store.ts';
import type { ParticipationSummary } from '../../../client/typescript/participation.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { type ClientKey, generateClientKey } from '../../../shared/wire/identity/keys.ts';
import type { JoinLink } from '../link.ts';
import type { DataChoice, FromWorker, ToWorker } from '../messages.ts';
import { Gate } from './gate.ts';
import { participantOn } from './own-data.ts';
import { PatientClient } from './patient-client.ts';
import { computeFor, findAdapter, loadRuntime } from './runtime.ts';

/** The worker that trains. All state that must survive is in IndexedDB: it may be gone at any line. */

const gate = new Gate();
let agreed: PromiseWithResolvers<string | undefined> | undefined;

const post = (message: FromWorker) => self.postMessage(message);

self.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  switch (message.kind) {
    case 'start':
      if (message.paused) gate.close();
      alone(message.link, () => takePart(message.link, message.data)).then(
        (summary) => post({ kind: 'ended', summary }),
        (error: unknown) => post({ kind: 'failed', ...reasonOf(error) }),
      );
      break;
    case 'pause':
      gate.close();
      break;
    case 'resume':
      gate.open();
      break;
    case 'agree':
      agreed?.resolve(message.purpose);
      break;
  }
};

const placeOf = ({ endpoint, client }: JoinLink) => `tributary ${endpoint} ${client}`;

/** One store serves one client at a time, and a client holds one ticket: a second tab waits for the first to close. */
async function alone<T>(link: JoinLink, act: () => Promise<T>): Promise<T> {
  const held = await navigator.locks.request(placeOf(link), { ifAvailable: true }, async (lock) =>
    lock ? { result: await act() } : undefined,
  );
  if (held) return held.result;
  post({ kind: 'elsewhere' });
  return navigator.locks.request(placeOf(link), act);
}

async function takePart(link: JoinLink, data: DataChoice): Promise<ParticipationSummary> {
  const { task, client, code } = link;
  const keys = indexedDbKeys(placeOf(link));
  const store = indexedDbStore(placeOf(link));
  const identity = (await keys.get('current')) ?? (await join(link, keys));
  const compute = computeFor(await findAdapter(), link.compute);
  const { ort, version } = await loadRuntime(compute, new URL('/ort/', self.location.href).href);
  post({ kind: 'ready', compute });

  const onProgress = async ({ stepsDone, stepsTotal }: { stepsDone: number; stepsTotal: number }) => {
    post({ kind: 'progress', stepsDone, stepsTotal });
    await gate.pass();
  };
  const { train, evaluate } = await participantOn(data, { ort, client, store, onProgress });
  const agent = `${usualAgent()} onnxruntime-web/${version} ${compute}`;
  const patience = { pass: () => gate.pass(), agree: askUser(link.purpose) };
  const participate = (key: ClientKey) =>
    new PatientClient({ endpoint: link.endpoint, identity: key, keys, store, agent }, patience).participate(task, {
      train,
      evaluate,
      onEvent: (event) => post({ kind: 'event', event }),
    });
  return participate(identity).catch(async (refusal: unknown) => {
    // Revoked and invited again: the link brings a code for a new key, unless it is the old link.
    if (!(refusal instanceof FlError) || refusal.code !== 'identity-refused' || code === undefined) throw refusal;
    const key = await join(link, keys).catch((error: unknown) => {
      throw error instanceof FlError && error.code.startsWith('invitation-') ? refusal : error;
    });
    return participate(key);
  });
}

/** Enrols with a key that no script can read. */
async function join({ endpoint, client, code }: JoinLink, keys: KeyStore): Promise<ClientKey> {
  if (code === undefined) throw new FlError('invitation-missing', 'the link has no code, and no key is kept here');
  post({ kind: 'enrolling' });
  const key = await nextKey(keys, client, () => generateClientKey(client, false));
  return enrol({ endpoint, client, code, keys, key });
}

function askUser(purpose: string | undefined) {
  let known = purpose;
  return async (asked: string | undefined) => {
    while (asked !== known) {
      agreed = Promise.withResolvers();
      post({ kind: 'purpose', purpose: asked });
      known = await agreed.promise;
    }
  };
}

function reasonOf(error: unknown): { code: string; message: string } {
  if (error instanceof FlError) return { code: error.code, message: error.message.replace(/^\[[^\]]+\] /, '') };
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}
