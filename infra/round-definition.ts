import type { RoundStep } from './round-machine.ts';

/** Steps that are wrong stay wrong: these are not tried again. */
const final = [
  'round-superseded',
  'manifest-malformed',
  'manifest-missing',
  'task-unknown',
  'task-not-started',
  'object-missing',
  'object-changed',
  'model-not-finite',
];
/** Lambda's own troubles pass, though not in seconds: a new account runs ten functions at once. */
const passing = [
  'Lambda.TooManyRequestsException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
];

const retry = [
  { ErrorEquals: final, MaxAttempts: 0 },
  {
    ErrorEquals: passing,
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxAttempts: 9,
    MaxDelaySeconds: 120,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['States.ALL'],
    IntervalSeconds: 1,
    BackoffRate: 2,
    MaxAttempts: 4,
    MaxDelaySeconds: 30,
    JitterStrategy: 'FULL',
  },
];

/** Any failure gives the updates back: they never left the buffer. */
const releaseOnError = [
  {
    ErrorEquals: ['States.ALL'],
    Next: 'Release',
    Assign: {
      failure: '{% $states.errorOutput.Error %}',
      failureCause: "{% $substring($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '', 0, 30000) %}",
    },
  },
];

/**
 * The round in Amazon States Language with JSONata. Every step is repeatable, so every step is retried.
 * https://states-language.net/
 */
export function roundDefinition(functionArns: Readonly<Record<RoundStep, string>>) {
  const invoke = (step: RoundStep, payload: unknown = '{% $states.input %}') => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: functionArns[step], Payload: payload },
    Output: '{% $states.result.Payload %}',
    Retry: retry,
  });
  return {
    Comment: 'One buffer of updates becomes one version of the model',
    QueryLanguage: 'JSONata',
    StartAt: 'Freeze',
    States: {
      Freeze: { ...invoke('Freeze'), Catch: releaseOnError, Next: 'IsFrozen' },
      IsFrozen: {
        Type: 'Choice',
        Choices: [{ Condition: "{% $states.input.outcome = 'frozen' %}", Next: 'Aggregate' }],
        Default: 'NothingToDo',
      },
      NothingToDo: { Type: 'Succeed' },
      Aggregate: {
        Type: 'Map',
        Items: '{% $states.input.tiles %}',
        ItemSelector: {
          manifestKey: '{% $states.input.manifestKey %}',
          tile: '{% $states.context.Map.Item.Value.tile %}',
        },
        MaxConcurrency: 40,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'AggregateTile',
          States: { AggregateTile: { ...invoke('Aggregate'), End: true } },
        },
        Output: { manifestKey: '{% $states.input.manifestKey %}', parts: '{% $states.result %}' },
        Catch: releaseOnError,
        Next: 'Publish',
      },
      Publish: { ...invoke('Publish'), Catch: releaseOnError, Next: 'Evaluate' },
      Evaluate: {
        ...invoke('Evaluate'),
        Output: "{% $merge([$states.input, {'evaluation': $states.result.Payload}]) %}",
        // A version that cannot be evaluated is published all the same.
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Output: "{% $merge([$states.input, {'evaluation': null}]) %}",
            Next: 'Settle',
          },
        ],
        Next: 'Settle',
      },
      Settle: { ...invoke('Settle'), Catch: releaseOnError, Next: 'Done' },
      Done: { Type: 'Succeed' },
      Release: {
        ...invoke(
          'Release',
          "{% $merge([$states.context.Execution.Input, {'error': $failure, 'cause': $failureCause}]) %}",
        ),
        Next: 'RoundFailed',
      },
      RoundFailed: { Type: 'Fail', Error: '{% $failure %}', Cause: '{% $failureCause %}' },
    },
  };
}
