import { mostInlineCells } from '../shared/core/plan/estimate.ts';

/** The steps of a round, in order; `Release` is the catch. */
export const roundSteps = [
  'Freeze',
  'Root',
  'Losses',
  'Measure',
  'Judge',
  'Aggregate',
  'Publish',
  'Evaluate',
  'Seal',
  'Settle',
  'Release',
] as const;
export type RoundStep = (typeof roundSteps)[number];

/** Steps that are wrong stay wrong: these are not tried again. */
const final = [
  'input-malformed',
  'round-superseded',
  'manifest-malformed',
  'manifest-missing',
  'verdict-malformed',
  'losses-malformed',
  'cell-unknown',
  'task-unknown',
  'task-not-started',
  'object-missing',
  'object-changed',
  'model-not-finite',
  'cohort-too-small',
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
 * The round in Amazon States Language with JSONata. Every step is repeatable, so every step is retried. What travels is
 * the manifest's key and how many cells a step has: tiles, updates and results lie in S3.
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

  /** States that call `step` once for each cell, by an inline or a distributed Map as their number asks for. */
  const forEachCell = (step: RoundStep, count: string, next: object, extra: Readonly<Record<string, string>> = {}) => {
    // State names are unique in the whole machine, so each Map names its own.
    const map = (processor: object, cell: string, concurrency: number) => ({
      Type: 'Map',
      Items: `{% [0..${count} - 1] %}`,
      ItemSelector: { manifestKey: '{% $manifestKey %}', cell: '{% $states.context.Map.Item.Value %}', ...extra },
      MaxConcurrency: concurrency,
      ItemProcessor: {
        ProcessorConfig: processor,
        StartAt: cell,
        States: { [cell]: { ...invoke(step), Output: '{% null %}', End: true } },
      },
      Output: '{% null %}',
      Catch: releaseOnError,
      ...next,
    });
    return {
      [step]: {
        Type: 'Choice',
        Choices: [{ Condition: `{% ${count} > ${mostInlineCells} %}`, Next: `${step}Distributed` }],
        Default: `${step}Inline`,
      },
      [`${step}Inline`]: map({ Mode: 'INLINE' }, `${step}Cell`, 40),
      [`${step}Distributed`]: map({ Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }, `${step}Child`, 1000),
    };
  };
  const skipUnless = (condition: string, step: string, otherwise: string) => ({
    Type: 'Choice',
    Choices: [{ Condition: `{% ${condition} %}`, Next: step }],
    Default: otherwise,
  });

  return {
    Comment: 'One buffer of updates becomes one version of the model',
    QueryLanguage: 'JSONata',
    StartAt: 'Freeze',
    States: {
      Freeze: { ...invoke('Freeze'), Catch: releaseOnError, Next: 'IsFrozen' },
      IsFrozen: {
        Type: 'Choice',
        Choices: [
          {
            Condition: "{% $states.input.outcome = 'frozen' %}",
            Assign: {
              manifestKey: '{% $states.input.manifestKey %}',
              judged: '{% $states.input.judged %}',
              root: '{% $states.input.root %}',
              lossCells: '{% $states.input.lossCells %}',
              measureCells: '{% $states.input.measureCells %}',
              levels: '{% $states.input.levels %}',
              level: 0,
            },
            Next: 'IsJudged',
          },
        ],
        Default: 'NothingToDo',
      },
      NothingToDo: { Type: 'Succeed' },

      // Measure and judge: only where a rule needs to look at whole updates.
      IsJudged: skipUnless('$judged', 'NeedsRoot', 'Aggregate'),
      NeedsRoot: skipUnless('$root', 'Root', 'NeedsLosses'),
      Root: {
        ...invoke('Root', { manifestKey: '{% $manifestKey %}' }),
        Output: '{% null %}',
        Catch: releaseOnError,
        Next: 'NeedsLosses',
      },
      NeedsLosses: skipUnless('$lossCells > 0', 'Losses', 'NeedsMeasures'),
      ...forEachCell('Losses', '$lossCells', { Next: 'NeedsMeasures' }),
      NeedsMeasures: skipUnless('$measureCells > 0', 'Measure', 'Judge'),
      ...forEachCell('Measure', '$measureCells', { Next: 'Judge' }),
      Judge: {
        ...invoke('Judge', { manifestKey: '{% $manifestKey %}' }),
        Output: '{% null %}',
        Catch: releaseOnError,
        Next: 'Aggregate',
      },

      // Level by level until one function a tile has everything: most rounds have one level.
      ...forEachCell(
        'Aggregate',
        '$levels[$level]',
        { Assign: { level: '{% $level + 1 %}' }, Next: 'HasMoreLevels' },
        { level: '{% $level %}' },
      ),
      HasMoreLevels: skipUnless('$level < $count($levels)', 'Aggregate', 'Publish'),

      Publish: {
        ...invoke('Publish', { manifestKey: '{% $manifestKey %}' }),
        Catch: releaseOnError,
        Next: 'Evaluate',
      },
      Evaluate: {
        ...invoke('Evaluate'),
        Output: "{% $merge([$states.input, {'evaluation': $states.result.Payload}]) %}",
        // A version that cannot be evaluated is published all the same.
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Output: "{% $merge([$states.input, {'evaluation': null}]) %}",
            Next: 'Seal',
          },
        ],
        Next: 'Seal',
      },
      Seal: {
        ...invoke('Seal'),
        // The next version's step seals this one too.
        Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.input %}', Next: 'Settle' }],
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
