import { admitUpdate } from '../../../shared/orchestrator/admit-update.ts';
import { aggregateCell } from '../../../shared/orchestrator/aggregate.ts';
import { freeze } from '../../../shared/orchestrator/freeze.ts';
import { manifestKey } from '../../../shared/orchestrator/keys.ts';
import type { Ports } from '../../../shared/orchestrator/ports.ts';
import { release } from '../../../shared/orchestrator/release.ts';
import type { RoundStore } from '../../../shared/ports/round-store.ts';
import { readSeal, sealOf, signingInput } from '../../../shared/wire/seal.ts';
import type { Change } from '../simulate.ts';
import { instead, manifestOf, rewrittenManifest } from './instead.ts';

type Rounds = RoundStore;

/** Bugs that somebody could make, by what they do. The checker must notice each of them. */
export const mutants: Readonly<Record<string, Change>> = {
  'admits an update whatever state its ticket is in': {
    stores({ rounds }) {
      const admit = rounds.admit.bind(rounds);
      rounds.admit = (record, entry) => {
        const ticket = rounds.tickets.get(record.ticket);
        if (ticket) rounds.tickets.set(record.ticket, { ...ticket, state: 'uploading' });
        return admit(record, entry);
      };
    },
  },
  'marks a version as settled and leaves its updates in the buffer': {
    ports: (ports) => ({
      ...ports,
      rounds: instead<Rounds>(ports.rounds, { consume: (task, version) => ports.rounds.consume(task, version, []) }),
    }),
  },
  'publishes without looking where the pointer is': {
    stores({ rounds }) {
      const publish = rounds.publish.bind(rounds);
      rounds.publish = (task, record, attempt) => {
        const shelf = rounds.shelves.get(task);
        if (shelf) shelf.record = { ...shelf.record, version: record.version - 1 };
        return publish(task, record, attempt);
      };
    },
  },
  'ends the task and lets the round that is under way publish': {
    stores({ rounds }) {
      const setTaskState = rounds.setTaskState.bind(rounds);
      rounds.setTaskState = async (task, from, to, reason) => {
        const attempt = rounds.shelves.get(task)?.record.attempt ?? 0;
        const outcome = await setTaskState(task, from, to, reason);
        const shelf = rounds.shelves.get(task);
        if (shelf) shelf.record = { ...shelf.record, attempt };
        return outcome;
      };
    },
  },
  'freezes without taking out what the last version holds': {
    steps: {
      freeze: (ports, layouts, input) => {
        const task: Rounds['task'] = async (id) => {
          const record = await ports.rounds.task(id);
          return record && { ...record, settledVersion: record.version };
        };
        return freeze({ ...ports, rounds: instead<Rounds>(ports.rounds, { task }) }, layouts, input);
      },
    },
  },
  'does not normalise the weights': {
    ports: rewritingManifests((manifest) => ({
      ...manifest,
      updates: manifest.updates.map((update) => ({ ...update, weight: 0.9 * update.weight })),
    })),
  },
  'weighs a stale update like a fresh one': {
    ports: rewritingManifests((manifest) => ({
      ...manifest,
      updates: manifest.updates.map((update) => ({ ...update, staleness: 0 })),
    })),
  },
  'reads an update without If-Match': {
    ports: (ports) => ({
      ...ports,
      updates: instead<Ports['updates']>(ports.updates, { stream: (key, range) => ports.updates.stream(key, range) }),
    }),
  },
  'writes over what it should create once': {
    stores({ models }) {
      const createOnce = models.createOnce.bind(models);
      models.createOnce = (key, bytes) => {
        models.objects.delete(key);
        return createOnce(key, bytes);
      };
    },
  },
  'puts an update in quarantine and leaves it in the buffer': {
    ports: (ports) => ({
      ...ports,
      rounds: instead<Rounds>(ports.rounds, {
        quarantine: (ticket, from, record) => ports.rounds.quarantine(ticket, from, record),
      }),
    }),
  },
  'drops the updates of a round that it releases': {
    steps: {
      async release(ports, input) {
        const manifest = await manifestOf(ports.models, manifestKey(input));
        await release(ports, input);
        if (manifest) await ports.rounds.consume(input.task, input.version - 1, manifest.updates);
      },
    },
  },
  'leaves an update out of the sum': {
    steps: {
      aggregateCell: (ports, input) => {
        const stream: Ports['models']['stream'] = async (key, range, etag) => {
          const bytes = await ports.models.stream(key, range, etag);
          if (key !== input.manifestKey) return bytes;
          return rewrittenManifest(bytes, (manifest) => ({
            ...manifest,
            updates: manifest.updates.slice(0, Math.max(1, manifest.updates.length - 1)),
          }));
        };
        return aggregateCell({ ...ports, models: instead<Ports['models']>(ports.models, { stream }) }, input);
      },
    },
  },
  'makes another model each time': {
    ports: (ports, { random }) => ({
      ...ports,
      models: instead<Ports['models']>(ports.models, {
        putPart(key, uploadId, partNumber, bytes) {
          const changed = bytes.slice();
          changed[changed.length - 4] ^= random.below(2);
          return ports.models.putPart(key, uploadId, partNumber, changed);
        },
      }),
    }),
  },
  'does not give up the uploads of a round that failed': {
    ports: (ports) => ({
      ...ports,
      models: instead<Ports['models']>(ports.models, { abortParts: async () => {} }),
    }),
  },
  'leaves partial sums and measurements behind': {
    ports: (ports) => ({
      ...ports,
      models: instead<Ports['models']>(ports.models, { remove: async () => {} }),
    }),
  },
  'never ends a ticket that has run out': {
    ports: (ports) => ({
      ...ports,
      rounds: instead<Rounds>(ports.rounds, { expireTickets: async () => 0 }),
    }),
  },
  'leaves no note for the deadline': {
    ports: (ports) => ({ ...ports, queue: { postpone: async () => {} } }),
  },
  'counts an event for the version that is newest': {
    steps: {
      admitUpdate: async (ports, layouts, arrival) => {
        const admit: Rounds['admit'] = async (record, entry) => {
          const version = (await ports.rounds.task(record.task))?.version ?? 0;
          return ports.rounds.admit(record, { ...entry, baseVersion: version });
        };
        return admitUpdate({ ...ports, rounds: instead<Rounds>(ports.rounds, { admit }) }, layouts, arrival);
      },
    },
  },
  'seals a version without naming the seal before': {
    ports: (ports) => ({
      ...ports,
      rounds: instead<Rounds>(ports.rounds, {
        setSeal: async (task, version, seal, evaluation) => {
          const { previous: _, ...rest } = await readSeal(seal, await ports.sealer.publicKey());
          const input = signingInput(rest);
          const signature = await ports.sealer.sign(new TextEncoder().encode(input));
          return ports.rounds.setSeal(task, version, sealOf(input, signature), evaluation);
        },
      }),
    }),
  },
  'seals a version before it is evaluated': {
    stores({ rounds }) {
      const setSeal = rounds.setSeal.bind(rounds);
      rounds.setSeal = (task, version, seal) => {
        const shelf = rounds.shelves.get(task);
        const record = shelf?.versions.get(version);
        return setSeal(task, version, seal, record?.evaluation);
      };
      const evaluations = rounds.setEvaluation.bind(rounds);
      rounds.setEvaluation = async (task, version, evaluation) => {
        await evaluations(task, version, evaluation);
        const shelf = rounds.shelves.get(task);
        const record = shelf?.versions.get(version);
        if (shelf && record) shelf.versions.set(version, { ...record, evaluation });
      };
    },
  },
  'seals again what is sealed': {
    stores({ rounds }) {
      const setSeal = rounds.setSeal.bind(rounds);
      rounds.setSeal = async (task, version, seal, evaluation) => {
        const shelf = rounds.shelves.get(task);
        const record = shelf?.versions.get(version);
        if (shelf && record) shelf.versions.set(version, { ...record, seal: undefined });
        return setSeal(task, version, seal, evaluation);
      };
    },
  },
  'hashes the first piece of a file for its seal': {
    ports: (ports) => ({
      ...ports,
      sha256: async (bytes) => ports.sha256(firstOf(bytes)),
    }),
  },
  'never seals': { steps: { seal: async () => {} } },
};

function rewritingManifests(change: Parameters<typeof rewrittenManifest>[1]): Change['ports'] {
  return (ports) => ({
    ...ports,
    models: instead<Ports['models']>(ports.models, {
      createOnce: async (key, bytes) => {
        if (!key.endsWith('/manifest.json')) return ports.models.createOnce(key, bytes);
        let changed = bytes;
        for await (const rewritten of rewrittenManifest([bytes], change)) changed = rewritten;
        return ports.models.createOnce(key, changed);
      },
    }),
  });
}

async function* firstOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk;
    return;
  }
}
