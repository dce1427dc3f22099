import { describe, expect, it } from 'vitest';
import { History } from '../../../local/cloud/states/history.ts';
import { LeapingClock } from './stage.ts';

describe('history', () => {
  it('writes leaving a state in one piece with what follows, so that a crash never finds an execution between two states', () => {
    const written: number[][] = [];
    const sink = (lines: readonly string[]) => written.push(lines.map((line) => JSON.parse(line).event.id));
    const history = new History(new LeapingClock(), sink);
    const cursor = { previousEventId: 0 };
    for (const type of ['PassStateEntered', 'PassStateExited', 'TaskStateEntered', 'TaskScheduled']) {
      history.emit(cursor, type);
    }
    expect(written).toEqual([[1], [2, 3], [4]]);
  });

  it('takes nothing after its end', () => {
    const history = new History(new LeapingClock(), undefined);
    history.end();
    expect(() => history.emit({ previousEventId: 0 }, 'TaskSucceeded')).toThrow('interrupted');
  });
});
