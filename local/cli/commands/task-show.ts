import type { Command } from 'commander';
import type { Contributor, TaskResponse } from '../../../shared/wire/api.ts';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { percentText } from '../format.ts';
import { OperatorApi } from '../operator-api.ts';
import { table } from '../table.ts';

export function addTaskShow(group: Command, console: Console): void {
  group
    .command('show')
    .argument('<task>', "the task's id")
    .summary("show a task's state, counts, newest version, its clients, and quarantine")
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary task show synthetic-1-1')
    .action(async (task: string, { endpoint, json }: { endpoint?: string; json: boolean }) => {
      const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
      const found = await api.task(task, console.signal);
      const fromRound = found.latest?.origin.kind === 'round';
      const { contributors } = fromRound ? await api.version(task, found.version, console.signal) : {};
      if (json) console.out(JSON.stringify({ ...found, contributors }));
      else for (const line of [...taskLines(found), ...contributorLines(contributors)]) console.out(line);
    });
}

/** Rules, method, optimizer and codecs, as far as they are not the usual ones. */
function aggregationText({ aggregation, method, serverOptimizer, codecs }: TaskResponse['config']): string {
  const rules = aggregation.rules.map(({ kind }) => kind);
  const parts = [
    rules.length > 0 ? rules.join(', then ') : 'weighted mean',
    method.kind,
    serverOptimizer.kind,
    `updates as ${codecs.upload.kind}`,
    ...(codecs.download ? [`versions as ${codecs.download.kind} differences`] : []),
  ];
  return parts.join('; ');
}

/** Who contributed to the newest version, and what each says that it runs on. */
export function contributorLines(contributors: readonly Contributor[] = []): string[] {
  if (contributors.length === 0) return [];
  const head = ['client', 'runs on', 'examples', 'behind'];
  const rows = contributors.map(({ client, examples, staleness, agent = '' }) => [
    client,
    agent,
    String(examples),
    String(staleness),
  ]);
  return ['', 'clients of the newest version', ...table([head, ...rows], 2).map((line) => `  ${line}`)];
}

/** A task for a person. */
export function taskLines(found: TaskResponse): string[] {
  const { config, updates, latest, quarantine } = found;
  const { round } = config;
  const evaluation = latest?.evaluation;
  const facts: [string, string][] = [
    ['task', `${found.task}${found.description ? ` (${found.description})` : ''}`],
    ['state', `${found.state}${found.stateReason ? `: ${found.stateReason}` : ''}`],
    ['version', `${found.version}${config.stop.rounds === undefined ? '' : ` of ${config.stop.rounds}`}`],
    [
      'accuracy',
      evaluation ? `${percentText(evaluation.accuracy)}, loss ${evaluation.loss.toFixed(4)}` : 'not evaluated',
    ],
    ['parameters', String(found.parameters)],
    ['rounds', `${round.mode}, ${round.buffer} updates each, at most ${round.maxStaleness} versions behind`],
    ['aggregation', aggregationText(config)],
    ['buffer', `${updates.buffered} of ${round.buffer}`],
    [
      'updates',
      `${updates.issued} tickets: ${updates.open} open, ${updates.admitted} admitted, ${updates.aggregated} aggregated, ${updates.quarantined} quarantined, ${updates.expired} expired`,
    ],
  ];
  const lines = table(
    facts.map(([label, text]) => [label, text]),
    99,
  );
  if (quarantine.length === 0) return lines;
  const rows = quarantine.map(({ client, reason, detail, atMs }) => [
    new Date(atMs).toISOString().slice(11, 19),
    client,
    reason,
    detail,
  ]);
  return [...lines, '', `quarantine, newest first`, ...table(rows, 99).map((line) => `  ${line}`)];
}
