import { Command } from 'commander';
import { addClientEnrol } from './commands/client-enrol.ts';
import { addClientErase } from './commands/client-erase.ts';
import { addClientInvite } from './commands/client-invite.ts';
import { addClientIssue } from './commands/client-issue.ts';
import { addClientList } from './commands/client-list.ts';
import { addClientRevoke } from './commands/client-revoke.ts';
import { addClientRotate } from './commands/client-rotate.ts';
import { addClientRun } from './commands/client-run.ts';
import { addClientShow } from './commands/client-show.ts';
import { addDataAgree } from './commands/data-agree.ts';
import { addDataSummary } from './commands/data-summary.ts';
import { addDeadLettersList } from './commands/dead-letters-list.ts';
import { addDeadLettersDrop, addDeadLettersRedrive } from './commands/dead-letters-move.ts';
import { addDeploy } from './commands/deploy.ts';
import { addModelBuild } from './commands/model-build.ts';
import { addModelGet } from './commands/model-get.ts';
import { addModelList } from './commands/model-list.ts';
import { addModelRollback } from './commands/model-rollback.ts';
import { addModelVerify } from './commands/model-verify.ts';
import { addOpenapi } from './commands/openapi.ts';
import { addPlan } from './commands/plan.ts';
import { addStart } from './commands/start.ts';
import { addSynth } from './commands/synth.ts';
import { addTaskCreate } from './commands/task-create.ts';
import { addTaskList } from './commands/task-list.ts';
import { addTaskResume } from './commands/task-resume.ts';
import { addTaskShow } from './commands/task-show.ts';
import { addTaskStop } from './commands/task-stop.ts';
import type { Console } from './console.ts';

const examples = `
Examples:
  npx tributary start                            train on this machine, no account needed
  npx tributary start --help                     every option and its default
  npx tributary task create examples/task.yaml   against a kept local cloud or a deployed stack
  npx tributary deploy                           the same template in your AWS account

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;

/** The whole command line. Errors are thrown, never exited with: the caller decides. */
export function createProgram(console: Console): Command {
  const program = new Command('tributary')
    .description('Federated learning with no server to keep running.')
    .addHelpText('after', examples)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => console.out(text.trimEnd()),
      writeErr: (text) => console.err(text.trimEnd()),
    })
    .exitOverride();
  addStart(program, console);
  const task = program
    .command('task')
    .summary('create, list, show, stop and resume tasks')
    .description('Tasks: one model trained under one configuration each.');
  addTaskCreate(task, console);
  addTaskList(task, console);
  addTaskShow(task, console);
  addTaskStop(task, console);
  addTaskResume(task, console);
  const model = program
    .command('model')
    .summary("build a training package; list, download, verify and roll back a task's versions")
    .description('Training packages, and published versions of a task.');
  addModelBuild(model, console);
  addModelList(model, console);
  addModelGet(model, console);
  addModelRollback(model, console);
  addModelVerify(model, console);
  const client = program
    .command('client')
    .summary('take part in a task; invite, list and revoke clients')
    .description('Clients: devices and silos, each with a name and a key that signs its requests.');
  addClientInvite(client, console);
  addClientEnrol(client, console);
  addClientIssue(client, console);
  addClientRun(client, console);
  addClientRotate(client, console);
  addClientList(client, console);
  addClientShow(client, console);
  addClientRevoke(client, console);
  addClientErase(client, console);
  const data = program
    .command('data')
    .summary('agree with other silos on how tables become examples')
    .description('Summaries of tables, and what silos agree on from them.');
  addDataSummary(data, console);
  addDataAgree(data, console);
  const deadLetters = program
    .command('dead-letters')
    .summary('list, redrive and drop what could not be admitted')
    .description('Arrivals that failed as often as they may: the runbook says what to do.');
  addDeadLettersList(deadLetters, console);
  addDeadLettersRedrive(deadLetters, console);
  addDeadLettersDrop(deadLetters, console);
  addPlan(program, console);
  addOpenapi(program, console);
  addSynth(program, console);
  addDeploy(program, console);
  inheritSettings(program);
  return program;
}

/** Commander hands its settings only to commands that are added after them, by name. */
function inheritSettings(command: Command): void {
  for (const sub of command.commands) {
    sub.copyInheritedSettings(command);
    inheritSettings(sub);
  }
}
