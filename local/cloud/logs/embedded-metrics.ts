import { z } from 'zod';

/** One record of CloudWatch's embedded metric format, as a function wrote it. */
export interface MetricRecord {
  readonly functionName: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly namespace: string;
  /** Each set of dimensions is one metric on the bill. */
  readonly dimensions: readonly Readonly<Record<string, string>>[];
  readonly metrics: Readonly<Record<string, { readonly unit: string; readonly values: readonly number[] }>>;
  /** The other members of the log line. */
  readonly properties: Readonly<Record<string, unknown>>;
}

const schema = z.looseObject({
  _aws: z.looseObject({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.looseObject({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.looseObject({ Name: z.string(), Unit: z.string().optional() })),
      }),
    ),
  }),
});
const valuesSchema = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/**
 * The metrics in one log line; none if it is not in the format, as CloudWatch does.
 * "Specification: Embedded metric format", CloudWatch user guide.
 */
export function readMetrics(functionName: string, line: string): MetricRecord[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return [];
  const parsed = schema.safeParse(parseJson(line));
  if (!parsed.success) return [];
  const { _aws, ...members } = parsed.data;
  return _aws.CloudWatchMetrics.map(({ Namespace, Dimensions, Metrics }) => {
    const names = new Set([...Dimensions.flat(), ...Metrics.map(({ Name }) => Name)]);
    const metrics: Record<string, { unit: string; values: number[] }> = {};
    for (const { Name, Unit } of Metrics) {
      const values = valuesSchema.safeParse(members[Name]);
      if (values.success) metrics[Name] = { unit: Unit ?? 'None', values: values.data };
    }
    return {
      functionName,
      timestamp: _aws.Timestamp,
      namespace: Namespace,
      dimensions: Dimensions.map((set) => Object.fromEntries(set.map((name) => [name, String(members[name])]))),
      metrics,
      properties: Object.fromEntries(Object.entries(members).filter(([name]) => !names.has(name))),
    };
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
