import { expect, test } from 'vitest';
import { readMetrics } from '../../../local/cloud/logs/embedded-metrics.ts';

// The example document of CloudWatch's specification of the format, with one more value.
const line = JSON.stringify({
  _aws: {
    Timestamp: 1574109732004,
    CloudWatchMetrics: [
      {
        Namespace: 'lambda-function-metrics',
        Dimensions: [['functionVersion']],
        Metrics: [{ Name: 'time', Unit: 'Milliseconds', StorageResolution: 60 }, { Name: 'sizes' }],
      },
    ],
  },
  functionVersion: '$LATEST',
  time: 100,
  sizes: [1, 2],
  requestId: '989ffbf8-9ace-4817-a57c-e4dd734019ee',
});

test('reads namespace, dimensions, metrics and properties', () => {
  expect(readMetrics('f', line)).toEqual([
    {
      functionName: 'f',
      timestamp: 1574109732004,
      namespace: 'lambda-function-metrics',
      dimensions: [{ functionVersion: '$LATEST' }],
      metrics: { time: { unit: 'Milliseconds', values: [100] }, sizes: { unit: 'None', values: [1, 2] } },
      properties: { requestId: '989ffbf8-9ace-4817-a57c-e4dd734019ee' },
    },
  ]);
});

test.for([
  '',
  'plain text',
  '{"_aws": 1}',
  '{"_aws": {"Timestamp": 1}}',
  line.slice(0, -2),
  '{"message":"no metrics"}',
])('finds nothing in %j', (text) => expect(readMetrics('f', text)).toEqual([]));
