import { describe, expect, it } from 'vitest';
import type { Json } from '../../../local/cloud/states/json.ts';
import { execute, machine } from './stage.ts';

/** What an expression gives as the Output of a Pass. */
async function valueGiven(expression: string, input: Json = {}) {
  const ended = await execute(machine({ A: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }), input);
  return ended.status === 'SUCCEEDED' ? ended.output : { error: ended.error, cause: ended.cause };
}

describe('JSONata', () => {
  it.each<[string, Json]>([
    ['$sum($states.input.values)', 6],
    ['$states.input.values[$ > 1]', [2, 3]],
    ['$map($states.input.values, function($v, $i) { $v * $i })', [0, 2, 6]],
    ['($n := $count($states.input.values); $n * 10)', 30],
    ['$states.input.clients[weight > 0.5].id', 'b'],
    ['$states.input.clients[weight > 0.5].id[]', ['b']],
    ['$states.input.clients.{"client": id}', [{ client: 'a' }, { client: 'b' }]],
    ['$states.input.clients^(>weight).id', ['b', 'a']],
    [
      '$states.input.clients@$c#$i.{"at": $i, "id": $c.id}',
      [
        { at: 0, id: 'a' },
        { at: 1, id: 'b' },
      ],
    ],
    ['$merge([{"a": 1}, {"b": 2}])', { a: 1, b: 2 }],
    ['$exists($states.input.none) ? 1 : 2', 2],
    ['$states.input.none = null', false],
    ['null', null],
    ['[]', []],
    ['{"kept": 1, "gone": $states.input.none}', { kept: 1 }],
  ])('%s', async (expression, expected) => {
    const input = {
      values: [1, 2, 3],
      clients: [
        { id: 'a', weight: 0.25 },
        { id: 'b', weight: 0.75 },
      ],
    };
    expect(await valueGiven(expression, input)).toEqual(expected);
  });

  it('fails the state on an expression that gives nothing', async () => {
    expect(await valueGiven('$states.input.none')).toEqual({
      error: 'States.QueryEvaluationError',
      cause:
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression " +
        "'$states.input.none' specified for the field 'Output' returned nothing (undefined).",
    });
  });

  it.each([
    ['a type error', '"a" + 1', 'T2001'],
    ['its own error', '$error("no quorum")', 'no quorum'],
    ['a function as value', '$sum', 'a function is not JSON'],
    ['a function within a value', '{"f": function($x) { $x }}', 'is not JSON'],
    ['endless recursion', '($f := function($x) { 1 + $f($x) }; $f(1))', 'D1011'],
    ['a huge range', '[1..9999999]', 'D2015'],
  ])('fails the state on %s', async (_what, expression, problem) => {
    expect(await valueGiven(expression)).toEqual({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(problem),
    });
  });

  it('tells time by the clock of the executions', async () => {
    expect(await valueGiven('[$now(), $millis(), $now("[Y]")]')).toEqual([
      '2026-11-30T12:00:00.000Z',
      1_796_040_000_000,
      '2026',
    ]);
  });

  it('reports the failure in the history', async () => {
    const { events } = await execute(
      machine({ A: { Type: 'Pass', Output: { x: '{% $states.input.none %}' }, End: true } }),
    );
    expect(events.find(({ type }) => type === 'EvaluationFailed')).toMatchObject({
      evaluationFailedEventDetails: { error: 'States.QueryEvaluationError', location: 'Output/x', state: 'A' },
    });
  });
});

describe('the functions that Step Functions adds', () => {
  it.each<[string, Json]>([
    ['$partition([1,2,3,4,5,6,7,8,9], 4)', [[1, 2, 3, 4], [5, 6, 7, 8], [9]]],
    ['$partition([], 4)', []],
    ['$range(0, 10, 2)', [0, 2, 4, 6, 8, 10]],
    ['$range(3, 1, -1)', [3, 2, 1]],
    // sha256 and md5 of "abc": FIPS 180-2 appendix B.1, RFC 1321 appendix A.5
    ['$hash("abc", "SHA-256")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['$hash("abc", "MD5")', '900150983cd24fb0d6963f7d28e17f72'],
    [`$parse('{"a": [1, null]}')`, { a: [1, null] }],
    ['$random(7) = $random(7)', true],
    ['$random() < 1', true],
    ['$match($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/).index', 0],
  ])('%s', async (expression, expected) => {
    expect(await valueGiven(expression)).toEqual(expected);
  });

  it.each([
    ['$partition([1], 0)', 'at least 1'],
    ['$partition("no", 1)', 'must be an array'],
    ['$range(0, 10, 0)', 'must not be 0'],
    ['$range(0, 1e9, 1)', 'more than'],
    ['$hash("abc", "CRC32")', 'must be one of MD5, SHA-1'],
    ['$parse("{")', 'JSON'],
    ['$parse(1)', 'must be a string'],
    ['$random("x")', 'is not an integer'],
  ])('%s is an error', async (expression, problem) => {
    expect(await valueGiven(expression)).toEqual({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(problem),
    });
  });
});
