import { expect, test } from 'vitest';
import { usualAgent } from '../../client/typescript/agent.ts';
import { agentSchema } from '../../shared/wire/api.ts';

const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36';

test.each([
  ['Node.js/24', 'Node.js/24'],
  [chrome, 'Chrome/137'],
  [`${chrome} Edg/137.0.3296.52`, 'Edg/137'],
  ['Mozilla/5.0 (Android 15; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0', 'Firefox/141'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1',
    'Safari/604',
  ],
])('%s runs on %s', (userAgent, runtime) => {
  expect(usualAgent(userAgent)).toBe(`tributary-client/0.1.0 ${runtime}`);
  expect(agentSchema.parse(usualAgent(userAgent))).toBe(usualAgent(userAgent));
});

test('what nobody knows says nothing more', () => {
  expect(usualAgent('\u{1f600}')).toBe('tributary-client/0.1.0');
});

test.each(['', 'a\nb', 'ä', 'a'.repeat(101)])('the API refuses %j', (agent) => {
  expect(agentSchema.safeParse(agent).success).toBe(false);
});
