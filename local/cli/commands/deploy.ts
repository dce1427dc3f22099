import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { cdkVerb } from './cdk-verb.ts';

export function addDeploy(program: Command, console: Console): void {
  cdkVerb(program, console, {
    verb: 'deploy',
    summary: 'deploy the stack to your AWS account (a thin wrapper of `cdk deploy`)',
    prefix: ['deploy'],
    example: 'npx tributary deploy\n  npx tributary deploy -- --profile research --require-approval never',
  });
}
