import { FlError } from '../../../../shared/core/errors.ts';
import { numberOf } from './number.ts';
import type { Summary } from './summary.ts';

/** One spelling per class: `>50K.` (UCI's adult.test) is `>50K`, and `1.0` is `1`. */
export function canonicalLabel(cell: string): string {
  const text = cell.length > 1 && cell.endsWith('.') ? cell.slice(0, -1) : cell;
  const value = numberOf(text, false);
  return value === undefined ? text : String(value);
}

/**
 * The classes in order: by value if all are numbers, else by code unit.
 * @throws {FlError} label-unsuitable on fewer than two classes, on measurements, and on text that is no class
 */
export function classesOf({ labels }: Pick<Summary, 'labels'>, name: string): string[] {
  const rows = labels.reduce((sum, [, count]) => sum + count, 0);
  const unsuitable = (what: string) => new FlError('label-unsuitable', `label "${name}": ${what}`);
  if (labels.length < 2)
    throw unsuitable(`needs at least two classes, the silos hold ${JSON.stringify(labels.map(([l]) => l))}`);
  const values = labels.map(([label]) => numberOf(label, false));
  const numbers = values.filter((value) => value !== undefined);
  if (numbers.length === labels.length) {
    const limit = numbers.every(Number.isInteger) ? Math.min(100, Math.max(20, rows / 10)) : 20;
    if (labels.length > limit) {
      throw unsuitable(
        `${labels.length} distinct numbers are a measurement, not classes, and regression is not supported; name another column with --label`,
      );
    }
    return numbers.sort((a, b) => a - b).map(String);
  }
  if (labels.length > 1000 || (labels.length > 20 && labels.length > rows / 4)) {
    throw unsuitable(
      `${labels.length} distinct values in ${rows} rows are no classes; name another column with --label`,
    );
  }
  return labels.map(([label]) => label).sort();
}
