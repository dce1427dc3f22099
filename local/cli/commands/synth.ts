import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { cdkVerb } from './cdk-verb.ts';

export function addSynth(program: Command, console: Console): void {
  cdkVerb(program, console, {
    verb: 'synth',
    summary: 'write the CloudFormation template, off-line (a thin wrapper of `cdk synth`)',
    prefix: ['synth', '--quiet'],
    example: 'npx tributary synth\n  npx tributary synth -- --output build/assembly',
  });
}
