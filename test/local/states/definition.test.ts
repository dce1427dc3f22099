import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { DefinitionError, validateDefinition } from '../../../local/cloud/states/create-states.ts';
import { machine, task } from './stage.ts';
import { wholeMachine } from './whole-machine.ts';

type Validate = (definition: unknown) => { isValid: boolean; errorsText(separator: string): string };
const aslValidator: Validate = createRequire(import.meta.url)('asl-validator');

const end = { Type: 'Pass', End: true };
const inline = { StartAt: 'One', States: { One: end } };
const config = { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' } };
const reader = {
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'JSON' },
  Arguments: { Bucket: 'b', Key: 'k' },
};
const each = (rest: Record<string, unknown>) =>
  machine({ Each: { Type: 'Map', ItemProcessor: inline, End: true, ...rest } });
const spread = (rest: Record<string, unknown>) => each({ ItemProcessor: { ...config, ...inline }, ...rest });
const freeze = (rest: Record<string, unknown>) => machine({ Freeze: task('freeze', { End: true, ...rest }) });

function messageOf(definition: unknown): string {
  try {
    validateDefinition(definition, 'round');
  } catch (cause) {
    if (cause instanceof DefinitionError) return cause.message;
    throw cause;
  }
  return 'accepted';
}

describe('a sound definition', () => {
  it('is accepted', () => {
    expect(messageOf(wholeMachine)).toBe('accepted');
  });

  it('is accepted by asl-validator too', () => {
    expect(aslValidator(wholeMachine).errorsText('\n')).toBe('');
  });

  it('may name JSONata state by state', () => {
    expect(messageOf({ StartAt: 'A', States: { A: { ...end, QueryLanguage: 'JSONata' } } })).toBe('accepted');
  });
});

describe('what is not supported locally is refused by path', () => {
  it.each([
    ['a field of a state', freeze({ Foo: 1 }), 'state machine round: States.Freeze.Foo is not supported locally'],
    ['a heartbeat', freeze({ HeartbeatSeconds: 5 }), 'States.Freeze.HeartbeatSeconds is not supported locally'],
    ['JSONPath fields', freeze({ ResultPath: '$.x' }), 'States.Freeze.ResultPath is not supported locally'],
    ['credentials', freeze({ Credentials: {} }), 'States.Freeze.Credentials is not supported locally'],
    ['a field of the machine', machine({ A: end }, { Foo: 1 }), 'Foo is not supported locally'],
    ['JSONPath', { StartAt: 'A', States: { A: end } }, 'States.A uses JSONPath, which is not supported locally'],
    ['JSONPath by name', machine({ A: { ...end, QueryLanguage: 'JSONPath' } }), 'States.A.QueryLanguage is "JSONPath"'],
    ['a path in a payload', freeze({ Output: { 'x.$': '$.x' } }), 'States.Freeze.Output.x.$ is JSONPath'],
    ['a state type', machine({ A: { Type: 'Magic', End: true } }), 'States.A.Type is "Magic", which is not supported'],
    ['the name of an object member', machine({ A: { Type: 'constructor' } }), 'States.A.Type is "constructor"'],
    [
      'an integration',
      freeze({ Resource: 'arn:aws:states:::sqs:sendMessage' }),
      'States.Freeze.Resource is "arn:aws:states:::sqs:sendMessage", which is not supported locally',
    ],
    [
      'a function’s own ARN as a resource',
      freeze({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:freeze' }),
      'States.Freeze.Resource is',
    ],
    [
      'an argument of the integration',
      freeze({ Arguments: { FunctionName: 'arn:aws:lambda:x', InvocationType: 'Event' } }),
      'States.Freeze.Arguments.InvocationType is not supported locally',
    ],
    ['a missing argument', freeze({ Arguments: { Payload: 1 } }), 'States.Freeze.Arguments.FunctionName is missing'],
    ['a field of a retrier', freeze({ Retry: [{ ErrorEquals: ['X'], Foo: 1 }] }), 'States.Freeze.Retry[0].Foo is not'],
    [
      'a field of a catcher',
      freeze({ Catch: [{ ErrorEquals: ['X'], Next: 'Freeze', ResultPath: 'x' }] }),
      'Catch[0].ResultPath',
    ],
    ['a reserved error', freeze({ Retry: [{ ErrorEquals: ['States.Foo'] }] }), 'Retry[0].ErrorEquals[0] is States.Foo'],
    ['a ResultWriter', spread({ ResultWriter: {} }), 'States.Each.ResultWriter is not supported locally'],
    [
      'another reader',
      spread({ ItemReader: { ...reader, Resource: 'arn:aws:states:::s3:listObjectsV2' } }),
      'ItemReader.Resource',
    ],
    ['another format', spread({ ItemReader: { ...reader, ReaderConfig: { InputType: 'CSV' } } }), 'InputType is "CSV"'],
    [
      'a batch by bytes',
      spread({ ItemBatcher: { MaxItemsPerBatch: 1, MaxInputBytesPerBatch: 9 } }),
      'MaxInputBytesPerBatch',
    ],
    ['the old Iterator', each({ Iterator: inline }), 'States.Each.Iterator is not supported locally'],
    [
      'a field in a branch',
      each({ ItemProcessor: { StartAt: 'One', States: { One: { ...end, Foo: 1 } } } }),
      'States.Each.ItemProcessor.States.One.Foo',
    ],
    ['a function', machine({ A: { ...end, Output: '{% $frob(1) %}' } }), 'States.A.Output $frob is neither a variable'],
    ['$eval', machine({ A: { ...end, Output: ['{% $eval("1") %}'] } }), 'States.A.Output[0] $eval is not supported'],
    [
      'context that does not exist here',
      machine({ A: { ...end, Output: '{% $states.context.Task.Token %}' } }),
      '$states.context.Task is not',
    ],
  ])('%s', (_what, definition, message) => {
    expect(messageOf(definition)).toContain(message);
  });
});

describe('a wrong definition is refused', () => {
  const choice = { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'A' }] };
  it.each([
    ['nothing', undefined, 'the definition must be an object'],
    ['a list', [], 'the definition must be an object'],
    ['text', '{}', 'the definition must be an object'],
    ['no StartAt', { QueryLanguage: 'JSONata', States: { A: end } }, 'StartAt is missing'],
    ['a StartAt that is no state', machine({ A: end }, { StartAt: 'B' }), 'StartAt names B, which is no state'],
    ['a missing Next target', machine({ A: { Type: 'Pass', Next: 'B' } }), 'States.A leads to B, which is no state'],
    [
      'a Next out of a branch',
      machine({ A: end, Each: end }, { StartAt: 'A', States: each({}).States }),
      'StartAt names A',
    ],
    ['a state without Next or End', machine({ A: { Type: 'Pass' } }), 'States.A must have either Next or End'],
    ['a state with both', machine({ A: { ...end, Next: 'A' } }), 'States.A must have either Next or End'],
    ['End: false', machine({ A: { Type: 'Pass', End: false } }), 'States.A.End must be true'],
    ['an unreachable state', machine({ A: end, B: end }), 'States.B is never reached'],
    ['a loop without an end', machine({ A: { Type: 'Pass', Next: 'A' } }), 'States has no state that ends'],
    [
      'a name that stands twice',
      machine({ Each: { Type: 'Map', ItemProcessor: { StartAt: 'Each', States: { Each: end } }, End: true } }),
      'States.Each',
    ],
    ['a name over 80 characters', machine({ ['x'.repeat(81)]: end }), 'must have a name of 1 to 80 characters'],
    [
      'States.ALL with company',
      freeze({ Retry: [{ ErrorEquals: ['X', 'States.ALL'] }] }),
      'may name States.ALL only alone',
    ],
    [
      'States.ALL before others',
      freeze({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] }),
      'alone and last',
    ],
    [
      'a fractional MaxAttempts',
      freeze({ Retry: [{ ErrorEquals: ['X'], MaxAttempts: 1.5 }] }),
      'MaxAttempts must be an integer',
    ],
    [
      'a BackoffRate below 1',
      freeze({ Retry: [{ ErrorEquals: ['X'], BackoffRate: 0.5 }] }),
      'BackoffRate must be a number',
    ],
    ['a TimeoutSeconds of 0', freeze({ TimeoutSeconds: 0 }), 'TimeoutSeconds must be an integer from 1'],
    [
      'Label on an inline Map',
      each({ Label: 'x' }),
      'States.Each.Label needs a Map whose ProcessorConfig.Mode is DISTRIBUTED',
    ],
    ['Items beside ItemReader', spread({ Items: [], ItemReader: reader }), 'Items and ItemReader exclude each other'],
    ['a Wait without a time', machine({ W: { Type: 'Wait', End: true } }), 'must have either Seconds or Timestamp'],
    [
      'a Wait until no time',
      machine({ W: { Type: 'Wait', Timestamp: 'soon', End: true } }),
      'Timestamp must be an RFC 3339',
    ],
    [
      'a Choice without rules',
      machine({ C: { Type: 'Choice', Choices: [], Default: 'A' }, A: end }),
      'Choices must be a non-empty',
    ],
    ['a Choice with End', machine({ C: { ...choice, End: true }, A: end }), 'States.C.End is not supported locally'],
    [
      'a condition that is text',
      machine({ C: { Type: 'Choice', Choices: [{ Condition: 'true', Next: 'A' }] }, A: end }),
      'Condition must be',
    ],
    ['a bad expression', machine({ A: { ...end, Output: '{% 1 + %}' } }), 'States.A.Output is not JSONata: S0207'],
    [
      'a half expression',
      machine({ A: { ...end, Output: '{% 1 ' } }),
      'States.A.Output must begin with {% and end with %}',
    ],
    [
      'a bare name',
      machine({ A: { ...end, Output: '{% foo.bar %}' } }),
      'the bare name foo has no value at the top level',
    ],
    ['$ at the top level', machine({ A: { ...end, Output: '{% $.foo %}' } }), '$ has no value at the top level'],
    ['$$', machine({ A: { ...end, Output: '{% $states.input.($$) %}' } }), '$$ is not supported'],
    ['a young operator', machine({ A: { ...end, Output: '{% $states.input.x ?? 1 %}' } }), 'came after JSONata 2.0.6'],
    [
      'another young operator',
      machine({ A: { ...end, Output: '{% $states.input.x ?: 1 %}' } }),
      'came after JSONata 2.0.6',
    ],
    [
      '$states.result where there is none',
      machine({ A: { ...end, Output: '{% $states.result %}' } }),
      '$states.result is not available here',
    ],
    [
      '$states.errorOutput outside Catch',
      freeze({ Output: '{% $states.errorOutput %}' }),
      '$states.errorOutput is not available',
    ],
    [
      'a variable that nobody assigns',
      machine({ A: { ...end, Output: '{% $x %}' } }),
      '$x is neither a variable assigned in this scope',
    ],
    [
      'a variable named states',
      machine({ A: { ...end, Assign: { states: 1 } } }),
      'States.A.Assign.states assigns to $states',
    ],
    [
      'a variable that hides a function',
      machine({ A: { ...end, Assign: { sum: 1 } } }),
      'would hide the function $sum',
    ],
    ['a variable that is no name', machine({ A: { ...end, Assign: { 'a-b': 1 } } }), 'is not a variable name'],
    [
      'a variable assigned inside and outside',
      machine({
        A: { ...end, End: undefined, Assign: { x: 1 }, Next: 'Each' },
        ...each({ ItemProcessor: { StartAt: 'One', States: { One: { ...end, Assign: { x: 2 } } } } }).States,
      }),
      'States.Each.ItemProcessor.States assigns $x, which a scope around it assigns too',
    ],
    [
      'a distributed child that reads an outer variable',
      machine({
        A: { Type: 'Pass', Assign: { x: 1 }, Next: 'Each' },
        ...spread({ ItemProcessor: { ...config, StartAt: 'One', States: { One: { ...end, Output: '{% $x %}' } } } })
          .States,
      }),
      'States.Each.ItemProcessor.States.One.Output $x is neither',
    ],
  ])('%s', (_what, definition, message) => {
    expect(messageOf(definition)).toContain(message);
  });

  it('a definition over 1 MiB', () => {
    expect(messageOf(machine({ A: { ...end, Comment: 'x'.repeat(1024 * 1024) } }))).toContain('at most 1 MiB');
  });

  it('nesting without end', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 200; i++) deep = [deep];
    expect(messageOf(machine({ A: { ...end, Output: deep } }))).toContain('nested deeper than 100 levels');
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(messageOf(machine({ A: { ...end, Output: deep } }))).toContain('is not JSON');
  });

  it('what refers to itself', () => {
    const loop: Record<string, unknown> = machine({ A: end });
    loop.Comment = loop;
    expect(messageOf(loop)).toContain('is not JSON');
  });
});
