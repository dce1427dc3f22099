import type { TaskId, TicketId } from '../core/names.ts';
import { ticketIdPattern } from '../core/names.ts';
import type { ArtifactName } from '../wire/api.ts';

/** Where things lie in the two object stores. */
export const artifactKey = (task: TaskId, name: ArtifactName) => `tasks/${task}/package/${name}`;
export const manifestKey = (task: TaskId, version: number, attempt: number) =>
  `tasks/${task}/rounds/${version}-${attempt}/manifest.json`;
export const modelKey = (task: TaskId, version: number, attempt: number) =>
  `tasks/${task}/rounds/${version}-${attempt}/model.safetensors`;
export const stateKey = (task: TaskId, version: number, attempt: number) =>
  `tasks/${task}/rounds/${version}-${attempt}/velocity.safetensors`;
export const updateKey = (task: TaskId, ticket: TicketId) => `updates/${task}/${ticket}.safetensors`;

/** The ticket whose upload a key is for; undefined if no client could have been given that key. */
export function ticketOfKey(key: string): TicketId | undefined {
  const [, ticket] = /^updates\/[a-z][a-z0-9-]*\/([^/]+)\.safetensors$/.exec(key) ?? [];
  return ticket !== undefined && ticketIdPattern.test(ticket) ? (ticket as TicketId) : undefined;
}
