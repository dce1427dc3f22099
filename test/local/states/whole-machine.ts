import { machine, task } from './stage.ts';

const end = { Type: 'Pass', End: true };

/** Every state type and nearly every field that the local interpreter knows. */
export const wholeMachine = machine(
  {
    Freeze: task('freeze', {
      Comment: 'claims the buffer',
      TimeoutSeconds: 60,
      Retry: [
        {
          ErrorEquals: ['Busy', 'Lambda.Unknown'],
          IntervalSeconds: 2,
          MaxAttempts: 6,
          BackoffRate: 2,
          MaxDelaySeconds: 30,
          JitterStrategy: 'FULL',
        },
        { ErrorEquals: ['States.ALL'] },
      ],
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Next: 'Release',
          Output: '{% $states.errorOutput %}',
          Assign: { why: '{% $states.errorOutput.Error %}' },
        },
      ],
      Output: '{% $states.result.Payload %}',
      Next: 'Which',
    }),
    Which: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.few %}', Next: 'Pause' }], Default: 'Tiles' },
    Pause: { Type: 'Wait', Seconds: 5, Next: 'Both' },
    Both: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Left', States: { Left: end } },
        { StartAt: 'Right', States: { Right: end } },
      ],
      Next: 'Each',
    },
    Each: {
      Type: 'Map',
      Items: '{% $states.input %}',
      ItemSelector: { index: '{% $states.context.Map.Item.Index %}' },
      MaxConcurrency: 4,
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'One', States: { One: end } },
      Next: 'Tiles',
    },
    Tiles: {
      Type: 'Map',
      Label: 'tiles',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Arguments: { Bucket: 'updates', Key: '{% $states.input.tilesKey %}' },
      },
      ItemBatcher: { MaxItemsPerBatch: 10 },
      MaxConcurrency: 100,
      ToleratedFailureCount: 0,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' },
        StartAt: 'Tile',
        States: { Tile: task('tile') },
      },
      Next: 'Done',
    },
    Done: { Type: 'Succeed', Output: '{% $states.input %}' },
    Release: { Type: 'Fail', Error: 'RoundFailed', Cause: '{% $why %}' },
  },
  { Comment: 'one round', TimeoutSeconds: 3600 },
);
